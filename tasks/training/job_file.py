"""A training job as a JSON file, for processes of this machine and of others."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.errors import ConfigError, IntegrityError
from tasks.references import DatasetRef, PreprocessingRef
from tasks.storage import digest_of, place, write_json
from tasks.training.config import TrainConfig
from tasks.training.fold_job import FoldJob, FoldPlan
from tasks.training.job import TrainJob
from tasks.training.on_the_fly import Augment


class JobFile(BaseModel):
    """What the file holds: references, settings and places.

    Attributes:
        plan: How the training split is cut, where one fold is left out.
        held_out: That fold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: DatasetRef
    preprocessing: PreprocessingRef
    config: TrainConfig
    home: str
    work: str
    augment: Augment
    plan: FoldPlan | None = None
    held_out: int | None = None


def write_job(job: TrainJob) -> Path:
    """Write a job into its work folder, where every machine of the training can read it.

    Raises:
        ConfigError: Its rows are not those of a dataset on disk.
    """
    written: dict[str, object] = {}
    if isinstance(job, FoldJob) and type(job.whole) is TrainJob:
        written = {"plan": job.plan, "held_out": job.held_out}
    elif type(job) is not TrainJob:
        raise ConfigError(
            "train.machine: this training's rows are in one process's memory, so others cannot share them\n"
            "  do: write `devices: 1` and `num_nodes: 1`"
        )
    file = JobFile(
        features=job.features,
        preprocessing=job.preprocessing,
        config=job.config,
        home=str(job.home),
        work=str(job.work),
        augment=job.augment,
        **written,
    )
    content = file.model_dump(mode="json")
    path = job.work / f"job-{digest_of(content)[:16]}.json"
    write_json(path, content)
    return path


def read_job(path: Path) -> TrainJob:
    """Read a job.

    Raises:
        IntegrityError: The file is gone or is not a job.
    """
    try:
        file = JobFile.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise IntegrityError(
            f"{path}: not a training job ({str(error).splitlines()[0]})\n"
            "  do: give the path that the training's log names"
        ) from error
    job = TrainJob(file.features, file.preprocessing, file.config, place(file.home), place(file.work), file.augment)
    if file.plan is None or file.held_out is None:
        return job
    return FoldJob.of(job, file.plan, file.held_out)

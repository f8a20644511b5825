"""Trainings that are part of another: each is finished once, whatever is killed around it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.models.config import MemberConfig
from tasks.references import CheckpointRef
from tasks.storage import write_json
from tasks.training.job import TrainJob

Trainer = Callable[[TrainJob], CheckpointRef]


class Member(BaseModel):
    """A finished member.

    Attributes:
        checkpoint: Where it is.
        cpu_seconds: What its training took, all threads together; of a run that was killed and went on, the last part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: CheckpointRef
    cpu_seconds: float


def as_member(job: TrainJob, model: MemberConfig, folder: Path) -> TrainJob:
    """Return the job that trains one member of another's model, into `folder`."""
    return replace(job, config=job.config.model_copy(update={"model": model}), home=folder)


def trained_once(job: TrainJob, note: Path, train: Trainer) -> Member:
    """Train, unless a note says that it is done.

    Args:
        job: What to train.
        note: A file that belongs to exactly this training.
        train: Who trains it.
    """
    found = _noted(note)
    if found is not None and found.checkpoint.folder.exists():
        return found
    started = time.process_time()
    member = Member(checkpoint=train(job), cpu_seconds=time.process_time() - started)
    write_json(note, member.model_dump(mode="json"))
    return member


def _noted(note: Path) -> Member | None:
    try:
        return Member.model_validate_json(note.read_bytes())
    except (OSError, ValidationError):
        # A note is written last and whole; without a good one the training is simply done again.
        return None

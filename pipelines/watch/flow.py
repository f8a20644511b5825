"""The flow `drift-watch`: one look at the served traffic of a pipeline's model, told to Prefect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from pipelines.config import load_pipeline
from pipelines.run_labels import run_id
from pipelines.run_log import run_log
from pipelines.scheduling.due import missed
from pipelines.watch.config import WatchConfig
from pipelines.watch.event import SAID, drift_event, retraining, send
from pipelines.watch.look import Look, look
from pipelines.watch.memory import Memory, read_memory, write_memory
from pipelines.watch.show import show
from tasks.drift.report import DriftReport
from tasks.errors import ConfigError
from tasks.retention.items import DRIFT
from tasks.retention.lock import at_work
from tasks.storage import headrace_home, write_json

REPORT, MEMORY = "report.json", "memory.json"


@dataclass(frozen=True)
class _Watch:
    """A pipeline's watch.

    Attributes:
        folder: `drift/<pipeline>` below the home.
    """

    pipeline: str
    model: str
    config: WatchConfig
    folder: Path


def _run_name() -> str:
    return f"{Path(runtime.flow_run.parameters['config_path']).stem}-drift-{run_id()}"


@flow(name="drift-watch", flow_run_name=_run_name)
def drift_watch(config_path: str, overrides: list[str] | None = None) -> State[None]:
    """Hold the sampled traffic of a pipeline's champion against its training data and its evaluation.

    The run ends as `NoDrift`, `Drifted`, `TooFewRows`, `NoSamples` or `NoChampion`; or as `Missed`, where it comes too
    late and `watch.schedule` says that it is not made up for. Where something drifted it emits
    the event `headrace.drift.detected`, once for the same rows.

    Args:
        config_path: The pipeline's YAML file, on the machine that runs it; its section `watch` says what to check.
        overrides: Settings applied over the file, each as `key=value`, such as `watch.since=24h`.

    Raises:
        ConfigError: The config is wrong, or has no section `watch`.
        DataError: Samples or labels are not what they should be.
        BundleError: The champion's bundle is broken.
    """
    home = headrace_home()
    with run_log(), at_work(home):
        if (state := missed(Path(config_path), overrides or [], "watch")) is not None:
            return state
        watch = _opened(Path(config_path), overrides or [], home)
        found = _looked(watch, home)
    return Completed(name=found.verdict, message=found.said)


def _opened(path: Path, overrides: list[str], home: Path) -> _Watch:
    config = load_pipeline(path, overrides)
    if config.watch is None:
        raise ConfigError(f"{path}: there is no section `watch`\n  do: add one with the folder of the samples")
    return _Watch(config.name, config.model, config.watch, home / DRIFT / config.name)


def _looked(watch: _Watch, home: Path) -> Look:
    """Look, tell of an alarm, remember it, and leave the report."""
    now = datetime.now(UTC)
    memory = read_memory(watch.folder / MEMORY)
    found = look(watch.config, watch.model, home, memory, now)
    if found.report is not None and found.report.drift:
        found = _told(watch, found, found.report, memory, now)
    page = watch.folder / run_id() / REPORT
    report = None if found.report is None else found.report.model_dump(mode="json")
    write_json(
        page,
        {
            "verdict": found.verdict,
            "said": found.said,
            "model": watch.model,
            "version": found.version,
            "report": report,
        },
    )
    show(found, page)
    return found


def _told(watch: _Watch, found: Look, report: DriftReport, memory: Memory, now: datetime) -> Look:
    wanted = retraining(watch.config, watch.pipeline, memory, now)
    related = {"flow-run": UUID(str(runtime.flow_run.id))}
    if runtime.deployment.id is not None:
        related["deployment"] = UUID(str(runtime.deployment.id))
    send(drift_event(report, found.said, watch.pipeline, wanted, related))
    asked = now if wanted == "due" else memory.retraining_at
    write_memory(watch.folder / MEMORY, Memory(version=report.version, alarmed_until=report.end, retraining_at=asked))
    return replace(found, said=f"{found.said}; {SAID[wanted]}")

"""The deployment of a pipeline's drift watch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from pipelines.scheduling.config import overlap_of
from pipelines.scheduling.planned import Planned
from pipelines.watch.config import WatchConfig
from pipelines.watch.flow import drift_watch
from tasks.storage import digest_of

ENTRYPOINT = "pipelines.watch.flow.drift_watch"


def watch_deployment(
    config: PipelineConfig | ImagePipelineConfig, path: Path, overrides: Sequence[str]
) -> Planned | None:
    """Return what is to be registered, or None where a config has no section `watch`.

    Args:
        config: The pipeline's.
        path: Its file, absolute.
        overrides: `key=value` settings applied over it.
    """
    watch = config.watch
    if watch is None:
        return None
    return Planned(
        flow=drift_watch,
        entrypoint=ENTRYPOINT,
        name=config.name,
        description=_description(config, watch),
        tags=("headrace", f"pipeline:{config.name}", f"model:{config.model}"),
        parameters={"config_path": str(path), "overrides": list(overrides)},
        schedules=watch.schedule,
        overlap=overlap_of(watch.schedule),
        version=digest_of(watch.model_dump(mode="json"))[:12],
    )


def _description(config: PipelineConfig | ImagePipelineConfig, watch: WatchConfig) -> str:
    follows = f"starts `data-to-deployment/{config.name}`, at most once in {watch.cooldown}"
    lines = [
        f"Holds what `{config.model}` is asked, and what it answers, against what it was trained and evaluated on.",
        "",
        "| | |",
        "|---|---|",
        f"| samples | `{watch.samples}` |",
        f"| looks back | {watch.since} |",
        *([f"| labels | `{watch.labels}` |"] if watch.labels is not None else []),
        f"| false alarms | at most {watch.alarm_rate:g} a check |",
        f"| drift | {follows if watch.retrain else 'starts nothing'} |",
        *(f"| schedule | {schedule} |" for schedule in watch.schedule),
    ]
    return "\n".join(lines)

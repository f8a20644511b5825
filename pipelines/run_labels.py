"""By what a run is found in the Prefect UI: its name, and tags for its pipeline, its model and what started it."""

from __future__ import annotations

from pathlib import Path

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from pipelines.server_away import if_there

# Whoever creates a run for a reason that the run cannot see gives it the tag `trigger:<reason>` itself.
TRIGGER = "trigger:"


def run_id() -> str:
    """Return the name of the run's folder: when it was to start, and the end of its id in Prefect.

    The ids' beginnings are times; only their ends tell runs of one minute apart.
    """
    started = runtime.flow_run.scheduled_start_time
    return f"{started:%Y%m%d-%H%M%S}-{_short_id()}"


def first_name() -> str:
    """Return the run's name before its config has been read: it may be wrong, or not be there."""
    parameters = runtime.flow_run.parameters
    return _name(Path(parameters["config_path"]).stem, parameters.get("partition"))


def label(config: PipelineConfig | ImagePipelineConfig, partition: str | None) -> None:
    """Give the current run its name and its tags, in one call of Prefect's API.

    Args:
        config: What it runs.
        partition: What it runs on, where the config is cut into partitions.
    """
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    run = context.flow_run
    tags = sorted({*run.tags, f"pipeline:{config.name}", f"model:{config.model}", *_trigger(run)})
    if_there(get_client(sync_client=True).update_flow_run)(run.id, name=_name(config.name, partition), tags=tags)


def _name(pipeline: str, partition: str | None) -> str:
    return f"{pipeline}-{run_id()}" if partition is None else f"{pipeline}-{partition}-{_short_id()}"


def _short_id() -> str:
    return str(runtime.flow_run.id)[-8:]


def _trigger(run: FlowRun) -> list[str]:
    if any(tag.startswith(TRIGGER) for tag in run.tags):
        return []
    if run.auto_scheduled:
        return [f"{TRIGGER}scheduled"]
    by_automation = run.created_by is not None and run.created_by.type == "AUTOMATION"
    return [f"{TRIGGER}automation" if by_automation else f"{TRIGGER}manual"]

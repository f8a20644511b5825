"""What a run that Prefect started is to do: on which partition, and whether it comes too late.

A worker that was down finds every run that became due meanwhile, and would run them all. The first of them to start
settles it by the config's `missed`: it cancels the others, and goes on or ends as `Missed` itself.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import FlowRunContext

from pipelines.config import load_pipeline
from pipelines.scheduling.config import Missed, missed_of
from pipelines.scheduling.partitions import PartitionsConfig
from tasks.errors import ConfigError

MISSED = "Missed"
# A worker that is there starts a run within half a minute; a busy machine needs a few.
TOLERANCE = timedelta(minutes=10)

_AWAITING = "AwaitingConcurrencySlot"
_SAID: dict[Missed, str] = {
    "skip": "nothing could run it when it was due, and the config says `missed: skip`",
    "latest": "nothing could run it when it was due; one run makes up for all that were missed (`missed: latest`)",
}

_logger = logging.getLogger(__name__)


def require_partition(path: Path, partitions: PartitionsConfig | None, partition: str | None) -> None:
    """Check that a pipeline which is cut into partitions is run on one of them.

    Raises:
        ConfigError: It is not.
    """
    if partitions is not None and partition is None:
        raise ConfigError(
            f"{path}: the pipeline is cut into partitions, and none was named\n"
            f"  do: name one, such as --partition {partitions.example}, or run them all with `headrace backfill`"
        )


def partition_of_run(path: Path, overrides: Sequence[str], given: str | None) -> str | None:
    """Return the partition of the current run.

    A deployment's run that was given none takes the last that is complete at its scheduled time; one that comes late,
    at the time when it starts.

    Args:
        path: The config's file.
        overrides: Settings applied over it.
        given: The run's parameter.

    Raises:
        ConfigError: No partition is complete yet, or time does not tell which is meant.
    """
    run = _current_run()
    if given is not None or run is None or run.deployment_id is None:
        return given
    partitions = load_pipeline(path, overrides).partitions
    if partitions is None:
        return None
    due = run.expected_start_time or datetime.now(UTC)
    found = partitions.last_complete(datetime.now(UTC) if _is_late(run) else due)
    if found is None:
        raise ConfigError(
            f"{path}: no partition is complete yet: {partitions.example} is the first\n"
            "  do: wait until it is over, or set `partitions.from` earlier"
        )
    return found


def missed(path: Path, overrides: Sequence[str]) -> State[Any] | None:
    """Settle the runs that were missed, if the current run is one of them.

    Args:
        path: The config's file.
        overrides: Settings applied over it.

    Returns:
        The state that the current run is to end in, `Missed`; or None if it is to go on.
    """
    run = _current_run()
    if run is None or run.deployment_id is None or not run.auto_scheduled:
        return None
    try:
        policy = missed_of(load_pipeline(path, overrides).schedule)
    except ConfigError:
        return None  # the run itself will say what is wrong with the config
    if policy == "all" or not _is_late(run):
        return None
    state = State[Any](type=StateType.CANCELLED, name=MISSED, message=_SAID[policy])
    client = get_client(sync_client=True)
    others = [each for each in _due_since(client, run, None) if each.state_type == StateType.SCHEDULED]
    for each in others:
        client.set_flow_run_state(each.id, state, force=True)
    if others:
        _logger.info("%d more runs were missed and are cancelled: %s", len(others), _SAID[policy])
    return state if policy == "skip" else None


def _current_run() -> FlowRun | None:
    context = FlowRunContext.get()
    return None if context is None else context.flow_run


def _is_late(run: FlowRun) -> bool:
    """Say whether nothing could run it when it was due: not of one that waited for another's end, or was put back."""
    due = run.expected_start_time
    if not run.auto_scheduled or due is None or run.run_count > 1:
        return False
    client = get_client(sync_client=True)
    if any(state.name == _AWAITING for state in client.read_flow_run_states(run.id)):
        return False
    return datetime.now(UTC) - due > TOLERANCE or bool(_due_since(client, run, due))


def _due_since(client: SyncPrefectClient, run: FlowRun, since: datetime | None) -> list[FlowRun]:
    """Return the scheduled runs of a run's deployment, without itself, that became due after a time."""
    assert run.deployment_id is not None
    due = FlowRunFilter(
        id=FlowRunFilterId(not_any_=[run.id]),
        deployment_id=FlowRunFilterDeploymentId(any_=[run.deployment_id]),
        expected_start_time=FlowRunFilterExpectedStartTime(after_=since, before_=datetime.now(UTC)),
    )
    found = client.read_flow_runs(flow_run_filter=due)
    return [
        each
        for each in found
        if each.auto_scheduled and (since is None or (each.expected_start_time and each.expected_start_time > since))
    ]

"""What a run that Prefect started is to do: on which partition, and whether it comes too late.

A worker that was down finds every run that became due meanwhile, and would run them all. The first of them to start
settles it by the config's `missed`: it cancels the others, and goes on or ends as `Missed` itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound

from pipelines.config import load_pipeline
from pipelines.prefect_pages import every
from pipelines.scheduling.config import Missed, ScheduleConfig, missed_of
from pipelines.scheduling.partitions import PartitionsConfig
from tasks.errors import ConfigError

MISSED = "Missed"
# A worker that is there starts a run within half a minute; a busy machine needs a few.
TOLERANCE = timedelta(minutes=10)

# Of a run that waited for another's end; and of one that was not made up for, and that somebody starts all the same.
_NOT_LATE = frozenset({"AwaitingConcurrencySlot", MISSED})
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
    at the time when it first began. So a run that was put back goes on with the partition that it had.

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
    begun = _begun(run)
    found = partitions.last_complete(begun if _is_late(run) else run.expected_start_time or begun)
    if found is None:
        raise ConfigError(
            f"{path}: no partition is complete yet: {partitions.example} is the first\n"
            "  do: wait until it is over, or set `partitions.from` earlier"
        )
    return found


def missed(
    path: Path, overrides: Sequence[str], section: Literal["schedule", "watch"] = "schedule"
) -> State[Any] | None:
    """Settle the runs that were missed, if the current run is one of them.

    A run that has begun before and was put back is no longer missed, and settles nothing.

    Args:
        path: The config's file.
        overrides: Settings applied over it.
        section: Whose time-table it is: the pipeline's, or that of its drift watch.

    Returns:
        The state that the current run is to end in, `Missed`; or None if it is to go on.
    """
    run = _current_run()
    if run is None or run.deployment_id is None or not run.auto_scheduled or run.run_count > 1:
        return None
    try:
        policy = missed_of(_schedules(path, overrides, section))
    except ConfigError:
        return None  # the run itself will say what is wrong with the config
    if policy == "all" or not _is_late(run):
        return None
    state = State[Any](type=StateType.CANCELLED, name=MISSED, message=_SAID[policy])
    client = get_client(sync_client=True)
    others = list(_never_begun(client, run))
    for each in others:
        with suppress(ObjectNotFound):  # somebody has deleted it meanwhile
            client.set_flow_run_state(each.id, state, force=True)
    if others:
        _logger.info("%d more runs were missed and are cancelled: %s", len(others), _SAID[policy])
    return state if policy == "skip" else None


def _schedules(path: Path, overrides: Sequence[str], section: str) -> tuple[ScheduleConfig, ...]:
    config = load_pipeline(path, overrides)
    return config.schedule if section == "schedule" else () if config.watch is None else config.watch.schedule


def _current_run() -> FlowRun | None:
    context = FlowRunContext.get()
    return None if context is None else context.flow_run


def _begun(run: FlowRun) -> datetime:
    """Return when a run began for the first time: now, if it is the first."""
    return run.start_time or datetime.now(UTC)


def _is_late(run: FlowRun) -> bool:
    """Say whether nothing could run it when it was due; one that was put back is as late as it was at first."""
    due, begun = run.expected_start_time, _begun(run)
    if not run.auto_scheduled or due is None:
        return False
    client = get_client(sync_client=True)
    if any(each.name in _NOT_LATE and each.timestamp <= begun for each in client.read_flow_run_states(run.id)):
        return False
    return begun - due > TOLERANCE or _was_due_again(client, run, due, begun)


def _was_due_again(client: SyncPrefectClient, run: FlowRun, due: datetime, until: datetime) -> bool:
    """Say whether another scheduled run of a run's deployment became due after its own time."""
    between = FlowRunFilterExpectedStartTime(after_=due, before_=until)
    found = client.read_flow_runs(flow_run_filter=_of_deployment(run, between))
    return any(each.auto_scheduled and each.expected_start_time != due for each in found)


def _never_begun(client: SyncPrefectClient, run: FlowRun) -> Iterator[FlowRun]:
    """Return the scheduled runs of a run's deployment that are due and have not begun; without itself, however many.

    One that was at work and was put back, when its worker was stopped, has begun.
    """
    wanted = _of_deployment(run, FlowRunFilterExpectedStartTime(before_=datetime.now(UTC)))
    wanted.state = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
    due = every(client.read_flow_runs, flow_run_filter=wanted, sort=FlowRunSort.EXPECTED_START_TIME_ASC)
    yield from (each for each in due if each.auto_scheduled and not each.run_count)


def _of_deployment(run: FlowRun, due: FlowRunFilterExpectedStartTime) -> FlowRunFilter:
    assert run.deployment_id is not None
    return FlowRunFilter(
        id=FlowRunFilterId(not_any_=[run.id]),
        deployment_id=FlowRunFilterDeploymentId(any_=[run.deployment_id]),
        expected_start_time=due,
    )

"""Stands for Prefect's server: keeps the runs of deployments, and answers about them as the real one does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import ObjectNotFound

# The most that the real one gives in one answer.
MOST = 200


def scheduled(deployment: UUID, due: datetime, **more: Any) -> FlowRun:
    """Return a run that a schedule made, and that nothing has run yet."""
    run = FlowRun(
        id=uuid4(),
        flow_id=uuid4(),
        deployment_id=deployment,
        expected_start_time=due,
        auto_scheduled=True,
        state=State(type=StateType.SCHEDULED, name="Late", timestamp=due),
        state_type=StateType.SCHEDULED,
    )
    return run.model_copy(update=more)


class ServerOfRuns:
    """The runs by their ids, each with the states that it had.

    Attributes:
        gone: Runs that are listed and deleted before they can be changed.
    """

    def __init__(self, runs: Sequence[FlowRun]) -> None:
        self.runs = {run.id: run for run in runs}
        self.states: dict[UUID, list[State[Any]]] = {run.id: [] for run in runs}
        self.gone: set[UUID] = set()

    def names(self) -> list[str]:
        """Return the names of the runs' states, in the order in which the runs were given."""
        return [run.state.name or "" for run in self.runs.values() if run.state is not None]

    def read_flow_runs(
        self, *, flow_run_filter: FlowRunFilter, sort: Any = None, limit: int | None = None, offset: int = 0
    ) -> list[FlowRun]:
        """Answer with the runs that a filter means, by the time when they were due."""
        found = [run for run in self.runs.values() if _is_meant(run, flow_run_filter)]
        found.sort(key=lambda run: str(run.expected_start_time), reverse=sort is None)
        return found[offset : offset + min(limit or MOST, MOST)]

    def read_flow_run_states(self, run: UUID) -> list[State[Any]]:
        """Answer with the states that a run had."""
        return self.states[run]

    def set_flow_run_state(self, run: UUID, state: State[Any], *, force: bool) -> None:
        """Put a run into a state."""
        assert force
        if run in self.gone:
            raise ObjectNotFound(http_exc=Exception("404"))
        self.runs[run] = self.runs[run].model_copy(update={"state": state, "state_type": state.type})


def _is_meant(run: FlowRun, wanted: FlowRunFilter) -> bool:
    due, between, state = run.expected_start_time, wanted.expected_start_time, wanted.state
    assert due is not None
    assert between is not None
    return (
        (wanted.deployment_id is None or run.deployment_id in (wanted.deployment_id.any_ or ()))
        and (wanted.id is None or run.id not in (wanted.id.not_any_ or ()))
        and (between.before_ is None or due <= between.before_)
        and (between.after_ is None or due >= between.after_)
        and (state is None or state.type is None or run.state_type in (state.type.any_ or ()))
    )

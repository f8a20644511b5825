"""The event of drift: what automations and notifications wait for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.events.schemas.events import Event, RelatedResource, Resource

from pipelines.watch.config import WatchConfig
from pipelines.watch.memory import Memory
from pipelines.watch.wording import changes
from tasks.drift.report import DriftReport

DRIFT_DETECTED = "headrace.drift.detected"
RETRAIN, PIPELINE = "headrace.retrain", "headrace.pipeline"
DUE = "due"
FLOW = "data-to-deployment"

# Whether an alarm starts a run, and if not, why.
Retraining = Literal["due", "off", "cooling", "running"]

SAID: Mapping[Retraining, str] = {
    "due": "a run of the pipeline is asked for",
    "off": "no run is started: `watch.retrain` is off",
    "cooling": "no run is started: drift asked for one within `watch.cooldown`",
    "running": "no run is started: one is under way",
}


def model_resource(model: str) -> str:
    """Return the id by which events name a model."""
    return f"headrace.model.{model}"


def retraining(watch: WatchConfig, pipeline: str, memory: Memory, now: datetime) -> Retraining:
    """Say whether an alarm is to start a run of the pipeline."""
    if not watch.retrain:
        return "off"
    # Either way: a clock that was far ahead when drift asked for a run must not keep it cooling until it is right.
    if memory.retraining_at is not None and abs(now - memory.retraining_at) < watch.pause:
        return "cooling"
    with get_client(sync_client=True) as client:
        return "running" if under_way(client, pipeline, now) else "due"


def under_way(client: SyncPrefectClient, pipeline: str, now: datetime) -> bool:
    """Say whether a run of the pipeline's deployment works, or waits for a worker although its time has come."""
    busy = [StateType.RUNNING, StateType.PENDING, StateType.PAUSED, StateType.CANCELLING, StateType.SCHEDULED]
    runs = client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[pipeline])),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=busy))),
    )
    return any(
        run.state_type is not StateType.SCHEDULED
        or (run.next_scheduled_start_time is not None and run.next_scheduled_start_time <= now)
        for run in runs
    )


def drift_event(
    report: DriftReport, said: str, pipeline: str, wanted: Retraining, related: Mapping[str, UUID | str]
) -> Event:
    """Return the event of an alarm.

    Args:
        report: What was found.
        said: The same in a sentence.
        pipeline: The pipeline's name.
        wanted: Whether the alarm is to start a run.
        related: Ids in Prefect of the check's `flow-run` and, where one started it, its `deployment`.
    """
    found = changes(report)
    return Event(
        # The same alarm told twice, after a kill between telling and remembering, is one event.
        id=uuid5(NAMESPACE_URL, f"{pipeline}/{report.digest}/{report.version}/{report.begin}/{report.end}"),
        occurred=datetime.now(UTC),
        event=DRIFT_DETECTED,
        resource=Resource(
            {
                "prefect.resource.id": model_resource(report.model),
                "prefect.resource.name": report.model,
                PIPELINE: pipeline,
                "headrace.version": report.version,
                RETRAIN: wanted,
            }
        ),
        related=[
            RelatedResource({"prefect.resource.id": f"prefect.{role}.{known}", "prefect.resource.role": role})
            for role, known in related.items()
        ],
        payload={
            "message": f"{said}; {SAID[wanted]}",
            "cause": f"drift: {said}",
            "drifted": [change._asdict() for change in found[:20]],
            "rows": report.rows,
            "begin": report.begin.isoformat(),
            "end": report.end.isoformat(),
        },
    )


def send(event: Event) -> None:
    """Hand an event to the Prefect server and wait until it has it, so that an alarm is remembered only once told."""
    body: list[dict[str, Any]] = [event.model_dump(mode="json")]
    with get_client(sync_client=True) as client:
        client.request("POST", "/events", json=body).raise_for_status()

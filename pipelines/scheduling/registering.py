"""Putting one planned deployment at the server: made, changed or left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.utilities.callables import parameter_schema

from pipelines.scheduling.config import ScheduleConfig
from pipelines.scheduling.planned import Planned, Target, job_variables, paused_by_a_person, schedules_at_server

Change = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class Registered:
    """A deployment at the server.

    Attributes:
        notes: What a person did to it in the UI, and what therefore stays so.
        firing: The schedules that nothing has paused.
    """

    id: UUID
    change: Change
    notes: tuple[str, ...]
    firing: tuple[ScheduleConfig, ...]


def register(client: SyncPrefectClient, planned: Planned, target: Target) -> Registered:
    """Make or change a deployment, so that it is as planned; doing it again changes nothing.

    A deployment, or a schedule, that a person paused in the UI stays paused.
    """
    found = _find(client, f"{planned.flow.name}/{planned.name}")
    paused = [each for each in found.schedules if paused_by_a_person(each.slug, active=each.active)] if found else []
    schedules = schedules_at_server(planned.schedules, [each.schedule for each in paused])
    wanted = _wanted(planned, target)
    notes = _notes(found, schedules, planned)
    firing = () if found is not None and found.paused else _active(schedules, planned)
    schema = parameter_schema(planned.flow).model_dump_for_openapi()
    if found is not None and _stands(found, wanted, schedules, schema):
        return Registered(found.id, "unchanged", notes, firing)
    made = client.create_deployment(
        flow_id=client.create_flow(planned.flow),
        name=planned.name,
        schedules=schedules,
        concurrency_limit=1,
        parameter_openapi_schema=schema,
        **wanted,
    )
    return Registered(made, "updated" if found else "created", notes, firing)


def remove(client: SyncPrefectClient, name: str) -> None:
    """Remove the deployment of a name, `flow/deployment`, if there is one."""
    found = _find(client, name)
    if found is not None:
        client.delete_deployment(found.id)


def _find(client: SyncPrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def _wanted(planned: Planned, target: Target) -> dict[str, Any]:
    return {
        "version": planned.version,
        "description": planned.description,
        "tags": sorted(planned.tags),
        "parameters": planned.parameters,
        "entrypoint": planned.entrypoint,
        "work_pool_name": target.pool,
        "job_variables": job_variables(target),
        "concurrency_options": planned.concurrency,
        "enforce_parameter_schema": True,
    }


def _stands(
    found: DeploymentResponse,
    wanted: dict[str, Any],
    schedules: list[DeploymentScheduleCreate],
    schema: dict[str, Any],
) -> bool:
    limit = found.global_concurrency_limit
    there = sorted((each.slug or "", each.active, each.schedule.model_dump_json()) for each in found.schedules)
    planned = sorted((each.slug or "", bool(each.active), each.schedule.model_dump_json()) for each in schedules)
    return (
        all(getattr(found, name) == value for name, value in wanted.items() if name != "tags")
        and sorted(found.tags) == wanted["tags"]
        and (found.parameter_openapi_schema or {}).get("properties") == schema["properties"]
        and limit is not None
        and limit.limit == 1
        and there == planned
    )


def _active(schedules: list[DeploymentScheduleCreate], planned: Planned) -> tuple[ScheduleConfig, ...]:
    pairs = zip(planned.schedules, schedules, strict=True)
    return tuple(config for config, schedule in pairs if schedule.active)


def _notes(
    found: DeploymentResponse | None, schedules: list[DeploymentScheduleCreate], planned: Planned
) -> tuple[str, ...]:
    notes = ["paused in the UI, and stays so; start it there again"] if found is not None and found.paused else []
    before, now = (None if each is None else each.parameters.get("config_path") for each in (found, planned))
    if before is not None and before != now:
        notes.append(f"it was registered from {before}, and runs {now} from now on; two configs need two names")
    for config, schedule in zip(planned.schedules, schedules, strict=True):
        if not schedule.active and not config.paused:
            notes.append(f"its schedule {config} was paused in the UI, and stays so; start it there again")
    return tuple(notes)

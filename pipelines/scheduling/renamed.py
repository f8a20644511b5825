"""Deployments that a renamed config leaves at the server, where they go on firing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowFilter,
    FlowFilterName,
)
from prefect.client.schemas.responses import DeploymentResponse

from pipelines.prefect_pages import every
from pipelines.scheduling.planned import Planned

OURS = "headrace"
_WHAT = ("config_path", "overrides")


def left_behind(client: SyncPrefectClient, planned: Planned, known: Collection[str]) -> list[str]:
    """Return a note for each deployment of another name that runs the same file under the same settings.

    They are told and not removed: on another machine the same path may be another file.

    Args:
        client: Of the server.
        planned: What is registered now.
        known: The names of all that is registered with it.
    """
    flow = planned.flow.name
    return [
        f"{flow}/{each.name} runs the same file and stays; if the pipeline was renamed, remove it: "
        f"prefect deployment delete {flow}/{each.name}"
        for each in _ours(client, flow)
        if each.name not in known and _what(each.parameters) == _what(planned.parameters)
    ]


def _what(parameters: dict[str, Any]) -> list[Any]:
    return [parameters.get(name) for name in _WHAT]


def _ours(client: SyncPrefectClient, flow: str) -> Iterator[DeploymentResponse]:
    return every(
        client.read_deployments,
        flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])),
        deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[OURS])),
    )

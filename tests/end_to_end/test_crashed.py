"""A run that falls silent is marked as crashed; one that beats, or has ended under any name, is not touched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.events import emit_event
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Running

from pipelines.automation.crashed import FLOWS, NAME, crashed_automation, keep_crashed_automation

SHORT = timedelta(seconds=10)


@pytest.fixture
def client(prefect_api: str) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: prefect_api}), get_client(sync_client=True) as client:
        yield client


def _run(client: SyncPrefectClient, name: str) -> FlowRun:
    @flow(name=name)
    def work() -> None: ...

    return client.create_flow_run(work, state=Running())


def _beat(run: FlowRun, name: str) -> None:
    related = [{"prefect.resource.id": f"prefect.flow.{run.flow_id}", "prefect.resource.role": "flow"}]
    related[0]["prefect.resource.name"] = name
    emit_event("prefect.flow-run.heartbeat", {"prefect.resource.id": f"prefect.flow-run.{run.id}"}, related=related)


@pytest.mark.integration
def test_only_a_silent_run_is_marked(client: SyncPrefectClient) -> None:
    keep_crashed_automation(client)
    assert keep_crashed_automation(client) == NAME
    (kept,) = client.read_automations_by_name(NAME)
    client.delete_automation(kept.id)
    made = client.create_automation(crashed_automation(SHORT))
    time.sleep(2)  # until the server's triggers know it
    ours, other = FLOWS[0], "somebody-elses"
    silent, alive, ended = (_run(client, ours) for _ in range(3))
    foreign = _run(client, other)
    for run in (silent, alive, ended):
        _beat(run, ours)
    _beat(foreign, other)
    client.set_flow_run_state(ended.id, Completed(name="Promoted"))

    def name(run_id: UUID) -> str:
        state = client.read_flow_run(run_id).state
        assert state is not None
        return str(state.name)

    deadline = time.monotonic() + 60
    while name(silent.id) != "Crashed" and time.monotonic() < deadline:
        _beat(alive, ours)
        time.sleep(1)
    assert [name(each.id) for each in (silent, alive, ended, foreign)] == ["Crashed", "Running", "Promoted", "Running"]
    # Had it only been cut off, it would end as it ends.
    client.set_flow_run_state(silent.id, Completed(name="Promoted"))
    assert name(silent.id) == "Promoted"
    client.delete_automation(made)

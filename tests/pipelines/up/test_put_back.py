"""What becomes of runs whose worker is gone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry, Cancelled, Cancelling, Completed, Crashed, Pending, Running

from pipelines.up import worker
from pipelines.up.worker import LOST, STOPPED, next_state, put_back

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def run_in(state: State[Any] | None, starts: int = 1) -> FlowRun:
    return FlowRun(id=uuid4(), flow_id=uuid4(), name="run", state=state, run_count=starts)


@pytest.mark.parametrize(
    ("state", "starts", "why", "expected"),
    [
        (Running(), 1, STOPPED, "AwaitingRetry"),
        (Running(), 4, LOST, "AwaitingRetry"),
        (Running(), 5, LOST, "Crashed"),
        (Running(), 50, STOPPED, "AwaitingRetry"),  # a machine that is switched off every night
        (Pending(), 0, LOST, "AwaitingRetry"),
        (Crashed(), 1, LOST, "AwaitingRetry"),
        (Cancelling(), 1, LOST, "Cancelled"),
        (Cancelled(), 1, LOST, None),
        (Completed(), 1, LOST, None),
        (AwaitingRetry(), 1, LOST, None),
        (None, 0, LOST, None),
    ],
)
def test_which_state_a_run_is_put_into(state: State[Any], starts: int, why: str, expected: str | None) -> None:
    found = next_state(run_in(state, starts), why)
    assert (None if found is None else found.name) == expected


def test_what_is_no_note_of_a_run_stops_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, other = run_in(Running()), uuid4()
    told: list[tuple[UUID, str | None]] = []

    class Server:
        async def read_flow_run(self, run: UUID) -> FlowRun:
            if run != known.id:
                raise ObjectNotFound(http_exc=Exception("404"))
            return known

        async def set_flow_run_state(self, run: UUID, state: State[Any], *, force: bool) -> None:
            assert force
            told.append((run, state.name))

    @asynccontextmanager
    async def client() -> AsyncIterator[Server]:
        yield Server()

    monkeypatch.setattr(worker, "get_client", client)
    for name in (known.id, other, ".DS_Store", ".nfs0000000000a1", "notes.txt"):
        (tmp_path / str(name)).touch()
    asyncio.run(put_back(tmp_path, LOST))
    assert told == [(known.id, "AwaitingRetry")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".DS_Store", ".nfs0000000000a1", "notes.txt"]

"""The group's worker: `python -m pipelines.up.worker --pool NAME`. Prefect's process worker, with an end of its own.

Told to end, Prefect's worker kills its flow runs without a word: they stay `Running` in the UI for ever, and what they
started lives on. This one takes no further run, asks those at work to end, which lets them clean up and report, and
puts them back as awaiting a retry: they go on from their last finished piece when a worker is there again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import anyio
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry, Cancelled, Crashed
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

STOPPED = "its worker was stopped; goes on from its last finished piece when a worker is there again"
LOST = "its worker was killed; goes on from its last finished piece"
_LOST_OFTEN = "its worker was killed while it was at work, at its start number {0}; not started again by itself"
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A run that takes its worker with it would do so for ever.
_MOST_STARTS = 5
_KILLED_AFTER_SECONDS = 8.0
_LEFT_AFTER_SECONDS = 3.0
_POLL_SECONDS = 0.1


class GroupWorker(ProcessWorker):
    """A process worker that ends its runs in an orderly way."""

    def __init__(self, pool: str, limit: int | None, runs: Path) -> None:
        """Take the work pool, the most runs at once (None for any number), and the folder that notes runs at work."""
        super().__init__(work_pool_name=pool, name=f"up-{socket.gethostname()}", limit=limit)
        self._runs = runs
        self._stopping = False
        self._at_work: dict[UUID, int | None] = {}

    @classmethod
    def __dispatch_key__(cls) -> str:
        """Leave Prefect's own worker its place among the types that it knows."""
        return "headrace-up"

    async def setup(self) -> None:
        """Prepare, and take up what a worker before left."""
        await super().setup()
        await put_back(self._runs, LOST)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Submit what is due, unless the worker is to end."""
        return [] if self._stopping else await super().get_and_submit_flow_runs()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow in a process of its own, say that it starts and how it ended."""
        print(f"run {str(flow_run.id)[:8]} starts", flush=True)
        noted = self._runs / str(flow_run.id)
        noted.touch()
        self._at_work[flow_run.id] = None
        try:
            result = await super().run(flow_run, configuration, _Noted(self._at_work, flow_run.id, task_status))
        finally:
            del self._at_work[flow_run.id]
        if not self._stopping:
            ended = await self.client.read_flow_run(flow_run.id)
            noted.unlink(missing_ok=True)
            print(f"run {ended.name}: {ended.state.name if ended.state is not None else 'no state'}", flush=True)
        return result

    async def end_runs(self) -> None:
        """Take no further run, and end the processes of those at work: asked to, and some time later killed."""
        self._stopping = True
        told: set[int] = set()
        with anyio.move_on_after(_KILLED_AFTER_SECONDS):
            while self._at_work:
                left = {pid for pid in self._at_work.values() if pid is not None}
                if None not in self._at_work.values() and not any(_signalled(pid, 0) for pid in left):
                    return
                for pid in left - told:
                    _signalled(pid, signal.SIGTERM)
                told |= left
                await anyio.sleep(_POLL_SECONDS)
        for each in self._at_work.values():
            if each is not None:
                _signalled(each, signal.SIGKILL)


async def put_back(runs: Path, why: str) -> None:
    """Let the runs that were at work and are so no more go on when a worker takes them.

    Args:
        runs: The folder that notes them; what is put back is noted no longer.
        why: Their state's message.
    """
    async with get_client() as client:
        for noted in _noted_runs(runs):
            with contextlib.suppress(ObjectNotFound):
                run = await client.read_flow_run(UUID(noted.name))
                if (state := next_state(run, why)) is not None:
                    await client.set_flow_run_state(run.id, state, force=True)
                    print(f"run {run.name}: {state.name}, since {state.message}", flush=True)
            noted.unlink(missing_ok=True)


def _noted_runs(runs: Path) -> list[Path]:
    """Return the notes of runs; what a file manager or a network disk puts beside them is none."""
    return sorted(path for path in runs.iterdir() if _RUN_ID.fullmatch(path.name))


def next_state(run: FlowRun, why: str) -> State[Any] | None:
    """Return the state of a run whose process is gone; None where it stays.

    Args:
        run: As Prefect knows it.
        why: The message of what is put back: its worker was stopped, or killed.
    """
    state = run.state
    if state is None or state.is_scheduled() or (state.is_final() and not state.is_crashed()):
        return None
    if state.is_cancelling():
        return Cancelled()
    if why != STOPPED and run.run_count >= _MOST_STARTS:
        return Crashed(message=_LOST_OFTEN.format(run.run_count))
    return AwaitingRetry(message=why)


def _signalled(pid: int, number: int) -> bool:
    """Signal a run's processes, whose group its first one leads; say whether there are any."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    return True


class _Noted:
    """A run's task status that notes the id of the run's process, and passes it on."""

    def __init__(self, noted: dict[UUID, int | None], run: UUID, status: anyio.abc.TaskStatus[int] | None) -> None:
        self._noted, self._run, self._status = noted, run, status

    def started(self, value: Any = None) -> None:
        self._noted[self._run] = value
        if self._status is not None:
            self._status.started(value)


async def _work(pool: str, limit: int | None, runs: Path) -> None:
    worker = GroupWorker(pool, limit, runs)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    working = asyncio.create_task(worker.start(printer=lambda said: print(said, flush=True)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        await worker.end_runs()
        # Before Prefect's worker, which knows nothing of it, says that they crashed.
        working.cancel()
        await put_back(runs, STOPPED)
        await asyncio.wait({working}, timeout=_LEFT_AFTER_SECONDS)
        # Its connections and threads may take their time; nothing that they do matters now.
        os._exit(0)
    await working


def main(arguments: Sequence[str] | None = None) -> None:
    """Work until told to end."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.up.worker")
    parser.add_argument("--pool", required=True, help="the work pool")
    parser.add_argument("--runs", required=True, type=Path, help="the folder that notes which runs are at work")
    parser.add_argument("--limit", type=int, help="the most runs at once")
    given = parser.parse_args(arguments)
    given.runs.mkdir(parents=True, exist_ok=True)
    asyncio.run(_work(given.pool, given.limit, given.runs))


if __name__ == "__main__":
    main()

"""A request that waited for too long behind a run is answered 503 rather than late."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from serving.guard.refusals import OverloadedError
from serving.models.batching import Batcher
from serving.models.loaded import Outcome
from serving.models.settings import BatchingConfig
from tests.serving.models.identity import answered_values, asking, identity


async def answered(*outcomes: list[Outcome]) -> None:
    for _ in range(5000):
        if all(outcomes):
            return
        await asyncio.sleep(0.001)
    raise AssertionError("an answer never came")


def test_who_waits_too_long_is_refused_and_nobody_else(tmp_path: Path) -> None:
    async def run(thread: ThreadPoolExecutor) -> None:
        batcher = Batcher(model, thread, BatchingConfig(inline_ms=0, queue_timeout_ms=80))
        got: dict[float, list[Outcome]] = {value: [] for value in (1.0, 2.0, 3.0, 4.0, 5.0)}

        def submit(value: float) -> None:
            batcher.submit(asking(model, [value] * int(value)), got[value].append)

        thread.submit(gate.result, 10)
        submit(1.0)
        await asyncio.sleep(0.01)
        # Its run has begun, as far as the batcher knows; the next ones gather.
        submit(2.0)
        submit(3.0)
        await answered(got[3.0])
        assert batcher.waiting_rows == 0
        submit(4.0)
        gate.set_result(None)
        await answered(got[1.0], got[4.0])
        submit(5.0)
        await answered(got[5.0])
        await asyncio.sleep(0.1)
        assert all(len(outcomes) == 1 for outcomes in got.values())
        for value in (2.0, 3.0):
            (refused,) = got[value]
            assert isinstance(refused, OverloadedError)
            assert "did not come to this request in 80 ms" in str(refused)
        for value in (1.0, 4.0, 5.0):
            assert answered_values(got[value][0]) == [value] * int(value)
        assert batcher.idle

    model = identity(tmp_path)
    gate: Future[None] = Future()
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(run(executor))

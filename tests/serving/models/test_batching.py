"""`serving.models.batching`: whatever comes together, everybody gets the own answer, once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import current_thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import ContractViolationError
from serving.models.batching import Batcher
from serving.models.loaded import Outcome, PredictionError
from serving.models.settings import BatchingConfig
from serving.records.request import InferRequest
from tests.serving.models.identity import WatchedModel, answered_values, asking, identity

ALWAYS_INLINE, ALWAYS_THREAD = 1e9, 0.0


@pytest.fixture(scope="module")
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> WatchedModel:
    return identity(tmp_path_factory.mktemp("identity"))


class Asked:
    """Requests with values that occur once, and what became of each."""

    def __init__(self, batcher: Batcher) -> None:
        self.batcher = batcher
        self.sent: list[list[float]] = []
        self.got: list[list[Outcome]] = []
        self._values = count(1)

    def submit(self, rows: int, *, good: bool = True) -> None:
        values = [float(next(self._values)) * (1 if good else -1) for _ in range(rows)]
        outcomes: list[Outcome] = []
        self.sent.append(values)
        self.got.append(outcomes)
        self.batcher.submit(asking(self.batcher.model, values), outcomes.append)

    async def all_done(self) -> None:
        for _ in range(5000):
            if all(self.got):
                return
            await asyncio.sleep(0.001)
        raise AssertionError("an answer never came")

    def check(self) -> None:
        for values, outcomes in zip(self.sent, self.got, strict=True):
            (outcome,) = outcomes
            if values[0] > 0:
                assert answered_values(outcome) == values
            else:
                assert isinstance(outcome, ContractViolationError)
                assert outcome.details["violations"][0]["got"] == values[0]


@given(
    turns=st.lists(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=6), min_size=1, max_size=6),
    max_rows=st.integers(1, 12),
    max_delay_ms=st.sampled_from([0.0, 0.0, 1.0]),
    inline_ms=st.sampled_from([ALWAYS_INLINE, ALWAYS_THREAD]),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_everybody_gets_the_own_answer_once(
    turns: list[list[tuple[int, bool]]],
    max_rows: int,
    max_delay_ms: float,
    inline_ms: float,
    data: st.DataObject,
    model: WatchedModel,
    thread: ThreadPoolExecutor,
) -> None:
    async def run() -> Asked:
        asked = Asked(Batcher(model, thread, config))
        for turn in turns:
            for rows, good in turn:
                asked.submit(rows, good=good)
            await asyncio.sleep(data.draw(st.sampled_from([0, 0, 0.0005])))
        await asked.all_done()
        return asked

    config = BatchingConfig(max_rows=max_rows, max_delay_ms=max_delay_ms, inline_ms=inline_ms)
    model.seen = []
    asked = asyncio.run(run())
    asked.check()
    assert asked.batcher.idle
    assert asked.batcher.waiting_rows == 0
    batches = [batch for batch in model.seen if len(batch) > 1]
    assert all(sum(batch) <= max_rows for batch in batches)


def runs(model: WatchedModel, thread: ThreadPoolExecutor, config: BatchingConfig, sizes: list[int]) -> list[list[int]]:
    async def run() -> None:
        asked = Asked(Batcher(model, thread, config))
        for rows in sizes:
            asked.submit(rows)
        await asked.all_done()
        asked.check()

    model.seen = []
    asyncio.run(run())
    return model.seen


@pytest.mark.parametrize("inline_ms", [ALWAYS_INLINE, ALWAYS_THREAD])
def test_what_one_turn_brings_in_runs_together_in_order(
    model: WatchedModel, thread: ThreadPoolExecutor, inline_ms: float
) -> None:
    config = BatchingConfig(max_rows=10, inline_ms=inline_ms)
    assert runs(model, thread, config, [1, 2, 3]) == [[1, 2, 3]]
    assert runs(model, thread, config, [4, 4, 4, 1, 20, 5, 5, 5]) == [[4, 4], [4, 1], [20], [5, 5], [5]]


def test_a_delay_waits_for_more_but_not_for_a_full_batch(model: WatchedModel, thread: ThreadPoolExecutor) -> None:
    async def run(rows: int, pause: float) -> None:
        asked = Asked(Batcher(model, thread, config))
        for _ in range(3):
            asked.submit(rows)
            await asyncio.sleep(pause)
        await asked.all_done()
        asked.check()

    config = BatchingConfig(max_rows=6, max_delay_ms=900)
    model.seen = []
    asyncio.run(run(2, 0.002))
    assert model.seen == [[2, 2, 2]]


def test_requests_gather_while_the_thread_is_busy(model: WatchedModel, thread: ThreadPoolExecutor) -> None:
    async def run() -> None:
        asked = Asked(Batcher(model, thread, BatchingConfig(inline_ms=ALWAYS_THREAD)))
        gate: Future[None] = Future()
        thread.submit(gate.result, 10)
        asked.submit(1)
        for _ in range(5):
            await asyncio.sleep(0.001)
            asked.submit(2)
        assert asked.batcher.waiting_rows == 10
        assert asked.batcher.expected_wait() > 0
        gate.set_result(None)
        await asked.all_done()
        asked.check()
        assert asked.batcher.expected_wait() == 0

    model.seen = []
    asyncio.run(run())
    assert model.seen == [[1], [2, 2, 2, 2, 2]]


def test_a_model_that_proves_slow_leaves_the_event_loop(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    async def run(slow: WatchedModel) -> None:
        batcher = Batcher(slow, thread, BatchingConfig(inline_ms=0.5))
        for _ in range(4):
            asked = Asked(batcher)
            asked.submit(2000)
            await asked.all_done()

    # A row alone is sorted at once; that 2,000 rows take some milliseconds is not known at first.
    nodes = " ".join(f"x{n + 1}, i{n} = TopK(x{n}, count)" for n in range(60))
    slow = identity(tmp_path, f"count = Shape(x) x0 = Identity(x) {nodes} y = Identity(x)")
    asyncio.run(run(slow))
    assert current_thread() not in slow.threads[1:]


def test_a_quick_model_stays_on_the_event_loop(model: WatchedModel, thread: ThreadPoolExecutor) -> None:
    async def run() -> None:
        batcher = Batcher(model, thread, BatchingConfig(inline_ms=100))
        for _ in range(4):
            asked = Asked(batcher)
            asked.submit(1)
            await asked.all_done()

    model.threads = []
    asyncio.run(run())
    assert set(model.threads) == {current_thread()}


class BrokenModel(WatchedModel):
    def predict(self, requests: Sequence[InferRequest]) -> list[Outcome]:
        raise RuntimeError("a defect")


@pytest.mark.parametrize("inline_ms", [ALWAYS_INLINE, ALWAYS_THREAD])
def test_a_defect_is_logged_and_everybody_is_answered(
    tmp_path: Path, thread: ThreadPoolExecutor, inline_ms: float, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        asked = Asked(Batcher(broken, thread, BatchingConfig(inline_ms=inline_ms)))
        for _ in range(3):
            asked.submit(1)
        await asked.all_done()
        assert all(isinstance(outcome, PredictionError) for (outcome,) in asked.got)
        assert asked.batcher.idle

    identity(tmp_path)
    broken = BrokenModel.load(tmp_path, "1", 10)
    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert "a defect" in caplog.text


class StumblingModel(WatchedModel):
    """Fails on every run that holds the value 13."""

    def predict(self, requests: Sequence[InferRequest]) -> list[Outcome]:
        if any(13.0 in request.inputs["x"].values for request in requests):
            raise RuntimeError("a defect")
        return super().predict(requests)


@pytest.mark.parametrize("inline_ms", [ALWAYS_INLINE, ALWAYS_THREAD])
def test_a_defect_costs_nobody_else_the_answer(tmp_path: Path, thread: ThreadPoolExecutor, inline_ms: float) -> None:
    async def run() -> list[type]:
        batcher = Batcher(stumbling, thread, BatchingConfig(inline_ms=inline_ms))
        got: list[Outcome] = []
        for value in (5.0, 13.0, 6.0):
            batcher.submit(asking(stumbling, [value]), got.append)
        done = asyncio.Event()
        batcher.submit(asking(stumbling, [7.0]), lambda _: done.set())
        await asyncio.wait_for(done.wait(), 10)
        return [type(outcome) for outcome in got]

    identity(tmp_path)
    stumbling = StumblingModel.load(tmp_path, "1", 10)
    first, second, third = asyncio.run(run())
    assert second is PredictionError
    assert first is third is not PredictionError


def test_a_receiver_that_fails_keeps_no_other_from_its_answer(
    model: WatchedModel, thread: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Outcome) -> None:
        raise RuntimeError("the transport broke")

    async def run() -> None:
        asked = Asked(Batcher(model, thread, BatchingConfig(inline_ms=ALWAYS_INLINE)))
        asked.submit(1)
        asked.batcher.submit(asking(model, [5.0]), fail)
        asked.submit(1)
        await asked.all_done()
        asked.check()

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert "the transport broke" in caplog.text

"""Requests that arrive together run together, without making a lone one wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from time import perf_counter, thread_time
from typing import Any

from serving.guard.refusals import OverloadedError
from serving.models.cost import RunCost
from serving.models.loaded import LoadedModel, Outcome, PredictionError
from serving.models.settings import BatchingConfig
from serving.records.request import InferRequest

logger = logging.getLogger(__name__)

Done = Callable[[Outcome], None]
# A plain tuple: one is made for each request. The last is when it came.
Pending = tuple[InferRequest, Done, float]
Timed = tuple[list[Outcome], float]

_FOLLOW = 0.3
# A timer may ring a little early.
_SOONEST = 0.001


class Batcher:
    """Joins requests for one model version into runs of its graph, in the order they came.

    A run that is expected to be short is made on the event loop, a long one in the worker thread; while that is busy
    with this version, requests gather for the next run. What a run costs is measured each time: in the thread as its
    processor time, which does not grow while the event loop keeps it waiting, so that a model that was sent there by
    one slow run comes back.

    Attributes:
        model: The version that answers.
        waiting_rows: Rows of the requests that no run has taken yet.
    """

    def __init__(self, model: LoadedModel, thread: Executor, config: BatchingConfig) -> None:
        self.model = model
        self.waiting_rows = 0
        self._thread = thread
        self._max_rows = config.max_rows
        self._delay = config.max_delay_ms / 1000
        self._inline = config.inline_ms / 1000
        self._patience = None if config.queue_timeout_ms is None else config.queue_timeout_ms / 1000
        self._patience_timer: asyncio.TimerHandle | None = None
        self._cost = RunCost(model.warm_seconds)
        self._waiting: list[Pending] = []
        self._timer: asyncio.TimerHandle | None = None
        # Of the run in the thread: when it began (0 without one), and how long it should take.
        self._began = self._length = 0.0
        # How much longer a run in the thread takes than its processor time.
        self._stretch = 1.0

    def submit(self, request: InferRequest, done: Done) -> None:
        """Take a request; `done` is called on the event loop, once, with its outcome."""
        if not self._waiting and not self._began:
            self._schedule()
        elif self._began and self._patience is not None and self._patience_timer is None:
            self._patience_timer = asyncio.get_running_loop().call_later(self._patience, self._give_up)
        self._waiting.append((request, done, perf_counter()))
        self.waiting_rows += request.rows
        if self._timer is not None and self.waiting_rows >= self._max_rows:
            self._timer.cancel()
            self._timer = None
            asyncio.get_running_loop().call_soon(self._flush)

    def expected_wait(self) -> float:
        """Return in how many seconds the run of a request that came now would begin, as far as runs were measured."""
        wait, rows = 0.0, self.waiting_rows
        if rows:
            run = min(rows, self._max_rows)
            wait = self._cost.least(run) * rows / run * self._stretch
        if self._began:
            elapsed = perf_counter() - self._began
            # A run that is overdue is expected to last as long again.
            wait += self._length - elapsed if elapsed < self._length else elapsed
        return wait

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs in the thread."""
        return not self._waiting and not self._began

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        if self._delay:
            self._timer = loop.call_later(self._delay, self._flush)
        else:
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._timer = None
        batch, rows = self._take()
        requests = [request for request, _, _ in batch]
        expected = self._cost.expected(rows)
        if expected > self._inline:
            self._began, self._length = perf_counter(), self._cost.least(rows) * self._stretch
            loop = asyncio.get_running_loop()
            future = self._thread.submit(_timed, self.model, requests)
            future.add_done_callback(partial(hand_back, loop, partial(self._returned, batch, rows)))
            return
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        started = perf_counter()
        outcomes = _outcomes(self.model, requests)
        self._finish(batch, rows, (outcomes, perf_counter() - started))

    def _take(self) -> tuple[list[Pending], int]:
        """Return the requests that run next, oldest first, and their rows."""
        if self.waiting_rows <= self._max_rows:
            taken = self._waiting, self.waiting_rows
            self._waiting, self.waiting_rows = [], 0
            return taken
        rows = count = 0
        for request, _, _ in self._waiting:
            if count and rows + request.rows > self._max_rows:
                break
            rows += request.rows
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self.waiting_rows -= rows
        return batch, rows

    def _give_up(self) -> None:
        """Refuse the requests that have waited for too long behind the run in the thread."""
        self._patience_timer = None
        if not self._began or not self._waiting or self._patience is None:
            return
        patience, now = self._patience, perf_counter()
        late = [pending for pending in self._waiting if now - pending[2] >= patience]
        self._waiting = self._waiting[len(late) :]
        self.waiting_rows -= sum(request.rows for request, _, _ in late)
        if self._waiting:
            left = max(patience - (now - self._waiting[0][2]), _SOONEST)
            self._patience_timer = asyncio.get_running_loop().call_later(left, self._give_up)
        error = OverloadedError(f"the model did not come to this request in {patience * 1000:g} ms", patience)
        _hand_out(late, [error] * len(late), 0)

    def _returned(self, batch: list[Pending], rows: int, future: Future[Timed]) -> None:
        took, self._began = perf_counter() - self._began, 0.0
        if self._waiting:
            # These have waited for a whole run already.
            asyncio.get_running_loop().call_soon(self._flush)
        timed = future.result()
        self._stretch += _FOLLOW * (min(max(took / max(timed[1], 1e-6), 1.0), 10.0) - self._stretch)
        self._finish(batch, rows, timed)

    def _finish(self, batch: list[Pending], rows: int, timed: Timed) -> None:
        self._cost.learn(rows, timed[1])
        _hand_out(batch, timed[0], 0)


def hand_back(loop: asyncio.AbstractEventLoop, take: Callable[[Future[Any]], object], done: Future[Any]) -> None:
    """Give a thread's result back to the event loop, unless the endpoint has stopped and nobody waits for it."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(take, done)


def _timed(model: LoadedModel, requests: Sequence[InferRequest]) -> Timed:
    """Predict in the thread; return the outcomes and the processor seconds that this took."""
    started = thread_time()
    outcomes = _outcomes(model, requests)
    return outcomes, thread_time() - started


def _outcomes(model: LoadedModel, requests: Sequence[InferRequest]) -> list[Outcome]:
    """Predict; a defect of ours that one request brings out is answered to that request alone."""
    try:
        return model.predict(requests)
    # Whatever it is, as at `serving.service.boundary`: nobody may wait for an answer that never comes.
    except Exception:
        logger.exception("failed on a run of %d requests for model %s", len(requests), model.name)
    if len(requests) == 1:
        return [PredictionError("the endpoint failed on it; its log says why")]
    return [outcome for request in requests for outcome in _outcomes(model, [request])]


def _hand_out(batch: Sequence[Pending], outcomes: Sequence[Outcome], start: int) -> None:
    """Give each request its outcome; one whose receiver fails keeps no other from its own."""
    for at in range(start, len(batch)):
        try:
            batch[at][1](outcomes[at])
        except BaseException:
            asyncio.get_running_loop().call_soon(_hand_out, batch, outcomes, at + 1)
            raise

"""Requests that arrive together run together, without making a lone one wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

from serving.models.loaded import LoadedModel, Outcome
from serving.records.request import InferRequest

Done = Callable[[Outcome], None]


class Pending(NamedTuple):
    """A request that waits for its model, and who waits for the answer."""

    request: InferRequest
    done: Done


class Batcher:
    """Joins what one turn of the event loop brings in for one model version into one run of the graph.

    Args:
        model: The version that answers.
        thread: Where large batches run, so that health checks and small requests need not wait for them.
        inline_rows: Up to so many rows run at once on the event loop.
    """

    def __init__(self, model: LoadedModel, thread: Executor, inline_rows: int) -> None:
        self.model = model
        self._thread = thread
        self._inline_rows = inline_rows
        self._waiting: list[Pending] = []

    def submit(self, request: InferRequest, done: Done) -> None:
        """Take a request; `done` is called on the event loop, once, with its outcome."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(Pending(request, done))

    def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        requests = [pending.request for pending in batch]
        if sum(request.rows for request in requests) <= self._inline_rows:
            _hand_out(batch, self.model.predict(requests))
            return
        future = asyncio.get_running_loop().run_in_executor(self._thread, self.model.predict, requests)
        future.add_done_callback(lambda done: _hand_out(batch, done.result()))


def _hand_out(batch: list[Pending], outcomes: list[Outcome]) -> None:
    for pending, outcome in zip(batch, outcomes, strict=True):
        pending.done(outcome)

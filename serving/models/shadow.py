"""A version that gets copies of real requests and whose answers nobody sees: they are only compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from serving.errors import RequestError
from serving.models.batching import Done, hand_back
from serving.models.loaded import LoadedModel, Outcome
from serving.models.sticky import place
from serving.protocol.answer import Answer, Outputs
from serving.protocol.reader import RequestReader
from serving.records.request import InferRequest

Read = Callable[[RequestReader], InferRequest]
# So many rows may wait; what comes beyond is dropped, for a shadow must cost nobody anything.
_MOST_WAITING = 4096


@dataclass
class ShadowCounts:
    """What became of the copies, since the process started or the version became the shadow.

    Attributes:
        requests: Copies that the shadow answered.
        dropped: Copies that were thrown away because the shadow was busy.
        failed: Copies that the shadow refused, because its contract differs, or failed on.
        labels: Labels that were compared: one for each row, for a multilabel model one for each row and label.
        agreed: Those that were the same.
        largest_difference: Between two numbers of the same place, such as probabilities.
    """

    requests: int = 0
    dropped: int = 0
    failed: int = 0
    labels: int = 0
    agreed: int = 0
    largest_difference: float = 0.0

    def add(self, other: ShadowCounts) -> None:
        """Take in the counts of some more copies."""
        self.requests += other.requests
        self.dropped += other.dropped
        self.failed += other.failed
        self.labels += other.labels
        self.agreed += other.agreed
        self.largest_difference = max(self.largest_difference, other.largest_difference)


class _Copy(NamedTuple):
    request: InferRequest
    read: Read
    answer: Answer


class Shadow:
    """Runs copies in a thread of its own, many at once, and compares the outcomes.

    Args:
        model: The shadow.
        champion: Whose requests are copied.
        percent: The part of the champion's requests that it gets.
        thread: Where everything is done.
        counts: Those of the same version under an earlier plan, which go on.

    Attributes:
        counts: Changed on the event loop only.
    """

    def __init__(
        self, model: LoadedModel, champion: LoadedModel, percent: float, thread: Executor, counts: ShadowCounts
    ) -> None:
        self.model = model
        self.percent = percent
        self.counts = counts
        self._thread = thread
        self._reads_alike = model.manifest.inputs == champion.manifest.inputs
        self._waiting: list[_Copy] = []
        self._rows = 0
        self._busy = False

    def following(self, done: Done, request: InferRequest, read: Read, name: str) -> Done:
        """Return what takes the champion's outcome: first its receiver, then this shadow.

        Args:
            done: The outcome's receiver.
            request: What the champion's reader made of the request.
            read: Lets another version read the same request, where its inputs differ.
            name: What the request sticks by, as for a canary; empty where there is nothing.
        """
        if self.percent < 100 and place(f"{self.model.name}\0shadow", name) >= self.percent:
            return done

        def both(outcome: Outcome) -> None:
            done(outcome)
            if isinstance(outcome, Answer):
                self._take(_Copy(request, read, outcome))

        return both

    def _take(self, copy: _Copy) -> None:
        if self._rows and self._rows + copy.request.rows > _MOST_WAITING:
            self.counts.dropped += 1
            return
        self._waiting.append(copy)
        self._rows += copy.request.rows
        if not self._busy:
            self._busy = True
            # Once the loop has sent the other answers of this turn.
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        copies, self._waiting, self._rows = self._waiting, [], 0
        loop = asyncio.get_running_loop()
        future = self._thread.submit(self._compare, copies)
        future.add_done_callback(partial(hand_back, loop, self._compared))

    def _compared(self, future: Future[ShadowCounts]) -> None:
        self._busy = bool(self._waiting)
        if self._busy:
            self._start()
        self.counts.add(future.result())

    def _compare(self, copies: list[_Copy]) -> ShadowCounts:
        counts = ShadowCounts()
        readable: list[tuple[InferRequest, Answer]] = []
        for request, read, answer in copies:
            try:
                own = request if self._reads_alike else read(self.model.reader)
            except RequestError:
                counts.failed += 1
            else:
                readable.append((own, answer))
        outcomes = self.model.predict([request for request, _ in readable]) if readable else []
        for (_, answer), outcome in zip(readable, outcomes, strict=True):
            if isinstance(outcome, Answer):
                counts.requests += 1
                _compare_outputs(answer.outputs, outcome.outputs, counts)
            else:
                counts.failed += 1
        return counts


def _compare_outputs(seen: Outputs, shadow: Outputs, counts: ShadowCounts) -> None:
    for name, ours in seen.items():
        theirs = shadow.get(name)
        alike = theirs is not None and theirs.shape == ours.shape
        if not np.issubdtype(ours.dtype, np.floating):
            counts.labels += ours.size
            counts.agreed += int(np.count_nonzero(ours == theirs)) if alike else 0
        elif theirs is not None and alike:
            differences = np.abs(ours - theirs)
            # Null against null is no difference, and null against a number has no size.
            largest = float(np.max(differences, initial=0.0, where=np.isfinite(differences)))
            counts.largest_difference = max(counts.largest_difference, largest)

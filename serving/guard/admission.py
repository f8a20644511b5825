"""Under more load than a model can carry: refuse early, so that what is let in is answered in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from serving.guard.refusals import OverloadedError

# Requests that come later join the same run, which they can make as long as the wait before it.
_BEFORE_THE_RUN = 0.5
# A queue that has to be half empty before the next request comes in gives the model work to go on with meanwhile.
_RESUME = 0.5
_LOOK_SECONDS = 0.05


class Admission:
    """Refuses requests for a model whose queue would make them wait for longer than a target.

    Like CoDel (Nichols and Jacobson, "Controlling Queue Delay", 2012) it looks at the time that a request would wait,
    not at the queue's length, so one target suits every model. Unlike a router, a server can measure how long one
    request takes and know the wait beforehand; so nothing that would come late is let in at all. Once it refuses, it
    goes on until the wait is half the target, so that it does not change its mind with every answer.

    Args:
        target: Seconds from a request to its answer.
    """

    def __init__(self, target: float) -> None:
        self._most = target * _BEFORE_THE_RUN
        self._resume = self._most * _RESUME
        self._refusing: set[str] = set()

    def check(self, model: str, queue: float, lag: float = 0.0) -> None:
        """Let a request in, or not.

        Args:
            model: The model that is asked.
            queue: Seconds that the request is expected to wait for its model; 0 for a model that is not served.
            lag: Seconds that it has waited already before it was read.

        Raises:
            OverloadedError: It would wait too long.
        """
        wait = queue + lag
        if wait <= self._most:
            if model not in self._refusing:
                return
            if wait <= self._resume:
                self._refusing.remove(model)
                return
        if queue:
            # Names of models that are not served are not kept: clients can make up any number of them.
            self._refusing.add(model)
        raise OverloadedError(
            f"the endpoint is overloaded: a request now would wait {wait * 1000:.0f} ms, "
            f"and is let in up to {self._most * 1000:g} ms",
            wait - self._resume,
        )


class Loop(Protocol):
    """What the lag needs of an event loop."""

    def time(self) -> float:
        """Return the seconds of the loop's clock."""

    def call_at(self, when: float, callback: Callable[[], object], /) -> object:
        """Call something at a moment of that clock, or as soon after it as there is time."""


class LoopLag:
    """How late the event loop is: what requests wait before anybody has read them.

    A timer that is due at a known moment and runs later says it. It only runs while somebody asks. One long turn of
    the loop is no backlog, so of the last two measurements the smaller one counts.

    Args:
        loop: Gives the event loop.
    """

    def __init__(self, loop: Callable[[], Loop] = asyncio.get_running_loop) -> None:
        self._loop = loop
        self._seconds = self._last = 0.0
        self._armed = self._asked = False

    def __call__(self) -> float:
        """Return the lag in seconds; call it on the event loop."""
        self._asked = True
        if not self._armed:
            self._arm(self._loop())
        return self._seconds

    def _arm(self, loop: Loop) -> None:
        self._armed, self._asked = True, False
        due = loop.time() + _LOOK_SECONDS
        loop.call_at(due, lambda: self._look(loop, due))

    def _look(self, loop: Loop, due: float) -> None:
        late = max(loop.time() - due, 0.0)
        self._seconds, self._last = min(late, self._last), late
        if self._asked or self._seconds:
            self._arm(loop)
        else:
            self._armed = False
            self._last = 0.0

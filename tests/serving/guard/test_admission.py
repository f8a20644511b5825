"""Admission under overload, with a simulated clock and a simulated model."""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest

from serving.guard.admission import Admission, LoopLag
from serving.guard.refusals import OverloadedError


class Run(NamedTuple):
    waits: list[float]
    refused: int
    changes: int
    busy: float


def simulate(admission: Admission | None, load: float, *, believed: float = 1.0) -> Run:
    """Let requests come to one model by chance for a minute.

    Args:
        load: Requests that come, over those that the model can answer.
        believed: The expected time of a request over the real one.
    """
    chance = random.Random(1)
    service, now, free_at = 0.01, 0.0, 0.0
    waits: list[float] = []
    refused = changes = 0
    before = False
    while now < 60:
        now += chance.expovariate(load / service)
        wait = max(free_at - now, 0.0)
        try:
            if admission is not None:
                admission.check("m", wait * believed)
        except OverloadedError:
            refused += 1
            changes += not before
            before = True
            continue
        changes += before
        before = False
        waits.append(wait)
        free_at = now + wait + chance.expovariate(1 / service)
    return Run(waits, refused, changes, len(waits) * service / 60)


def p99(waits: list[float]) -> float:
    return heapq.nlargest(len(waits) // 100 + 1, waits)[-1]


def test_without_it_the_wait_grows_without_end() -> None:
    assert p99(simulate(None, 2.0).waits) > 20


@pytest.mark.parametrize("load", [1.2, 2.0, 10.0])
def test_what_comes_in_waits_no_longer_than_the_target_and_the_model_stays_busy(load: float) -> None:
    run = simulate(Admission(0.5), load)
    assert max(run.waits) <= 0.25
    assert run.busy > 0.95
    assert run.refused > len(run.waits) * (load - 1) * 0.8


def test_it_does_not_change_its_mind_with_every_answer() -> None:
    run = simulate(Admission(0.5), 2.0)
    # Half a queue of a quarter of a second has to drain and to fill again between two changes.
    assert run.changes < 60 / 0.125 * 2
    assert run.refused / run.changes > 10


def test_a_wrong_belief_moves_the_target_in_proportion() -> None:
    assert max(simulate(Admission(0.5), 2.0, believed=0.5).waits) <= 0.5


def test_below_the_capacity_nobody_is_refused() -> None:
    assert simulate(Admission(0.5), 0.7).refused == 0


def test_models_do_not_answer_for_each_other() -> None:
    admission = Admission(0.2)
    with pytest.raises(
        OverloadedError, match="would wait 2400 ms, and is let in up to 100 ms; retry after 3 s"
    ) as refused:
        admission.check("slow", 2.4)
    assert (refused.value.status, refused.value.headers) == (503, ((b"retry-after", b"3"),))
    admission.check("quick", 0.01)
    with pytest.raises(OverloadedError):
        admission.check("slow", 0.08)
    admission.check("slow", 0.05)
    admission.check("slow", 0.08)


def test_names_of_models_that_are_not_served_are_not_kept() -> None:
    admission = Admission(0.2)
    for number in range(100):
        with pytest.raises(OverloadedError):
            admission.check(f"{number}", 0.0, 0.2)
        admission.check(f"{number}", 0.0, 0.1)
    assert not admission._refusing
    with pytest.raises(OverloadedError):
        admission.check("served", 0.06, 0.06)


class SimulatedLoop:
    """An event loop whose clock goes on as it is told."""

    def __init__(self) -> None:
        self.now = 5.0
        self.due: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object], /) -> object:
        self.due.append((when, callback))
        return None

    def turn(self, seconds: float) -> None:
        """Spend so long in one turn, then run what was due meanwhile."""
        self.now += seconds
        ready = [callback for when, callback in self.due if when <= self.now]
        self.due = [each for each in self.due if each[0] > self.now]
        for callback in ready:
            callback()


def test_a_late_loop_is_seen_and_forgotten_again() -> None:
    loop = SimulatedLoop()
    lag = LoopLag(lambda: loop)
    seen = []
    for seconds in (0.01, 0.3, 0.3, 0.3, 0.05, 0.05):
        seen.append(round(lag(), 3))
        loop.turn(seconds)
    # The first long turn is no backlog yet.
    assert seen == [0, 0, 0, 0.25, 0.25, 0]


def test_the_lag_is_not_looked_at_while_nobody_asks() -> None:
    loop = SimulatedLoop()
    lag = LoopLag(lambda: loop)
    lag()
    for _ in range(3):
        loop.turn(0.4)
    assert loop.due == []
    assert lag() == 0


def test_the_lag_of_a_real_loop() -> None:
    async def go() -> float:
        lag = LoopLag()
        for _ in range(6):
            lag()
            time.sleep(0.07)  # noqa: ASYNC251 - the loop is made late on purpose
            await asyncio.sleep(0)
        return lag()

    assert asyncio.run(go()) > 0.01

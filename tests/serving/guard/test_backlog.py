"""The backlog of large bodies."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.config import ServeConfig
from serving.guard import backlog
from serving.guard.backlog import Backlog
from serving.guard.limits import LimitsConfig
from serving.service.exchange import Exchange, Response
from serving.service.service import Service


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(backlog, "perf_counter", clock)
    return clock


def test_it_learns_what_a_byte_costs(clock: Clock) -> None:
    work = Backlog()
    assert work.seconds == 0
    work.begin(1000)
    # Nothing was measured yet.
    assert work.seconds == 0
    work.begin(3000)
    clock.now += 0.1
    work.end(1000)
    assert work.seconds == pytest.approx(0.3)
    clock.now += 0.3
    work.end(3000)
    assert work.seconds == 0
    # Idle time is no work.
    clock.now += 60
    work.begin(2000)
    clock.now += 0.2
    work.end(2000)
    work.begin(1000)
    assert work.seconds == pytest.approx(0.1)


def test_large_requests_wait_for_it_and_small_ones_do_not(tmp_path: Path) -> None:
    def status(length: int) -> int:
        exchange = Exchange("POST", "/v2/models/m/infer", "", [(b"content-length", b"%d" % length)], "", answers.append)
        service.open(exchange)
        return answers[-1].status

    answers: list[Response] = []
    service = Service(ServeConfig(store=tmp_path, limits=LimitsConfig(target_wait_ms=1)))
    for gate in service._guards:
        gate._lag = lambda: 0.0  # type: ignore[attr-defined]
    service._parsing._per_byte = 1.0
    assert [status(100_000), status(100)] == [404, 404]
    service._parsing.begin(100_000)
    assert [status(100_000), status(100)] == [503, 404]

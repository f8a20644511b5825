from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.logging import disable_run_logger

from pipelines import live_progress
from pipelines.live_progress import shown_live
from pipelines.pace import how_far
from tasks.progress import listening, progress


def work(parts: int) -> int:
    with progress("validate", parts, "partitions") as advance:
        for _ in range(parts):
            advance()
    return parts


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, str]]:
    """What the Prefect server is told."""
    told: list[tuple[str, float, str]] = []

    def create(share: float, *, key: str, description: str) -> UUID:
        told.append((key, share, description))
        return uuid4()

    def update(artifact: UUID, share: float, *, description: str) -> None:
        told.append((str(artifact), share, description))

    monkeypatch.setattr(live_progress, "create_progress_artifact", create)
    monkeypatch.setattr(live_progress, "update_progress_artifact", update)
    return told


def test_work_that_is_soon_over_is_not_shown(shown: list[Any]) -> None:
    with disable_run_logger():
        assert shown_live(work)(5) == 5
    assert shown == []


def test_long_work_is_shown_once_it_has_lasted_and_at_its_end(
    shown: list[tuple[str, float, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_progress, "AFTER_SECONDS", 0.0)
    with disable_run_logger():
        shown_live(work)(4)
    (key, first, said), (_, last, ended) = shown
    assert (key, first, last) == ("validate", 25.0, 100.0)
    assert said.startswith("validate: 1 of 4 partitions")
    assert said.endswith(" left")
    assert ended.startswith("validate: 4 of 4 partitions")
    assert ended.endswith("done in 0 s")


def test_work_that_ends_early_is_shown_as_over(
    shown: list[tuple[str, float, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_early() -> None:
        with progress("training", 1000, "steps") as advance:
            advance(20)

    monkeypatch.setattr(live_progress, "AFTER_SECONDS", 0.0)
    with disable_run_logger():
        shown_live(stop_early)()
    _, share, said = shown[-1]
    assert share == 100.0
    assert said.startswith("training: 20 of 1,000 steps")
    assert "left" not in said


def test_whoever_listens_already_hears_it_too(shown: list[Any]) -> None:
    heard: list[int] = []

    @contextmanager
    def listener(label: str, total: int, unit: str) -> Iterator[Any]:
        yield lambda amount=1: heard.append(amount)

    with disable_run_logger(), listening(listener):
        shown_live(work)(3)
    assert heard == [1, 1, 1]


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [
        (12, 4.0, "12 of 40 partitions, 3 a second, 9 s left"),
        (1, 60.0, "1 of 40 partitions, 0.0167 a second, 39 min left"),
        (1, 600.0, "1 of 40 partitions, 0.00167 a second, 6.5 h left"),
        (40, 4.0, "40 of 40 partitions, 10 a second"),
        (0, 4.0, "0 of 40 partitions, 0 a second"),
    ],
)
def test_how_far_work_has_come(done: int, seconds: float, said: str) -> None:
    assert how_far(done, 40, "partitions", seconds) == said


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.floats(1e-3, 1e7))
def test_how_far_is_said_of_any_work(done: int, total: int, seconds: float) -> None:
    assert "nan" not in how_far(done, total, "steps", seconds)

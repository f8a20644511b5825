"""`serving.models.cost`."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.models.cost import RunCost


def test_nothing_is_known_at_first() -> None:
    assert RunCost().expected(64) == 0


def test_a_size_never_run_costs_as_much_per_row_as_the_nearest_smaller_one() -> None:
    cost = RunCost(0.001)
    assert cost.expected(1) == pytest.approx(0.001)
    assert cost.expected(64) == pytest.approx(0.064)
    cost.learn(64, 0.002)
    assert cost.expected(64) == pytest.approx(0.002)
    assert cost.expected(128) == pytest.approx(0.004)
    assert cost.expected(32) == pytest.approx(0.032)


def test_at_least_what_was_measured_and_no_guess_beyond_it() -> None:
    cost = RunCost(0.001)
    assert cost.least(16_384) == pytest.approx(0.001)
    cost.learn(1024, 0.02)
    assert cost.least(2047) == pytest.approx(0.02 * 2047 / 1024)
    assert cost.least(8 * 1024) == pytest.approx(0.02 + 7 * 1024 * 0.019 / 1023)
    assert cost.least(16_384) == cost.least(8 * 1024)
    assert cost.least(512) == pytest.approx(0.01)
    cost.learn(16_384, 0.2)
    assert cost.least(16_384) == pytest.approx(0.2)
    assert cost.least(1) == pytest.approx(0.001)
    assert RunCost().least(5) == 0


def test_a_size_below_all_known_ones_costs_as_much_per_row_as_the_next() -> None:
    cost = RunCost()
    cost.learn(100, 0.1)
    assert cost.expected(1) == pytest.approx(0.001)


def test_a_cold_first_run_is_forgotten_after_some_more() -> None:
    cost = RunCost(1.0)
    for _ in range(12):
        cost.learn(1, 0.0001)
    assert cost.expected(1) < 0.001


def test_one_slow_run_changes_little_and_a_slower_model_is_believed() -> None:
    cost = RunCost(0.001)
    cost.learn(1, 1.0)
    assert cost.expected(1) < 0.0015
    for _ in range(60):
        cost.learn(1, 0.1)
    assert cost.expected(1) > 0.09


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=50))
def test_an_estimate_stays_within_what_was_seen(runs: list[float]) -> None:
    cost = RunCost()
    for seconds in runs:
        cost.learn(5, seconds)
    assert min(runs) * 0.999 <= cost.expected(5) <= max(runs) * 1.001

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.training.optimization import OptimizerConfig
from tasks.training.schedules import learning_rate_factor, plateau_factor

PLATEAU = OptimizerConfig(schedule="plateau", plateau_rounds=2, plateau_factor=0.5)


@settings(max_examples=100, deadline=None)
@given(warmup=st.integers(0, 20), total=st.integers(1, 200), step=st.integers(0, 300))
def test_the_learning_rate_stays_between_nothing_and_its_peak(warmup: int, total: int, step: int) -> None:
    configs = [OptimizerConfig(warmup_steps=warmup, schedule=name) for name in ("constant", "cosine", "plateau")]
    for config in (*configs, OptimizerConfig(schedule="one-cycle")):
        assert 0.0 <= learning_rate_factor(step, config, total) <= 1.0


def test_cosine_rises_and_then_falls_to_zero() -> None:
    config = OptimizerConfig(warmup_steps=10)
    factors = [learning_rate_factor(step, config, 100) for step in range(101)]
    assert factors[:11] == sorted(factors[:11])
    assert factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[100] == pytest.approx(0.0)


def test_one_cycle_rises_for_three_tenths_and_falls_to_nearly_nothing() -> None:
    config = OptimizerConfig(schedule="one-cycle")
    factors = [learning_rate_factor(step, config, 100) for step in range(101)]
    assert factors[0] == pytest.approx(0.04)
    assert factors[30] == 1.0
    assert factors[:31] == sorted(factors[:31])
    assert factors[30:] == sorted(factors[30:], reverse=True)
    assert factors[100] < 1e-5


def test_plateau_falls_after_every_so_many_rounds_without_a_new_best() -> None:
    def factor(*losses: float) -> float:
        return plateau_factor(losses, PLATEAU, greater_is_better=False)

    assert factor() == factor(3, 2, 1) == factor(3, 2, 2) == 1.0
    assert factor(3, 2, 2, 2) == factor(3, 2, 4, 2, 1.9) == 0.5
    assert factor(3, 2, 2, 2, 2, 2) == 0.25
    assert plateau_factor([1, 2, 3], PLATEAU, greater_is_better=True) == 1.0
    assert plateau_factor([1, 1, 1, 1, 1], OptimizerConfig(), greater_is_better=True) == 1.0


@settings(max_examples=60, deadline=None)
@given(losses=st.lists(st.floats(-5, 5), max_size=20), end=st.integers(0, 20))
def test_plateau_never_rises_and_the_past_does_not_change(losses: list[float], end: int) -> None:
    earlier = plateau_factor(losses[:end], PLATEAU, greater_is_better=False)
    assert 0.0 < plateau_factor(losses, PLATEAU, greater_is_better=False) <= earlier <= 1.0

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.models.blend import mix
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target
from tasks.training.ensemble_selection import blend_loss, ensemble_weights
from tests.tasks.training.small_jobs import TARGETS


def _case(target: Target, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three members of 80 rows: two whose errors are their own, and one that knows nothing."""
    random = np.random.default_rng(seed)
    truth: Any
    signal: Any
    if isinstance(target, ClassTarget):
        truth = random.integers(0, target.outputs, 80)
        signal = 2.0 * np.eye(target.outputs)[truth]
    elif isinstance(target, LabelsTarget):
        truth = random.integers(0, 2, (80, 2)).astype(np.float64)
        signal = 4.0 * truth - 2.0
    else:
        truth = random.normal(size=80)
        signal = np.repeat(truth[:, None], target.outputs, axis=1)
    noise = random.normal(size=(3, *signal.shape))
    return np.stack([signal + noise[0], signal + noise[1], noise[2]]), truth


@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("problem", TARGETS)
@given(seed=st.integers(0, 1000))
def test_the_blend_is_no_worse_than_its_best_member_or_the_plain_mean(problem: str, seed: int) -> None:
    target = TARGETS[problem]
    scores, truth = _case(target, seed)
    weights = ensemble_weights(scores, truth, target)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    loss = blend_loss(scores, weights, truth, target)
    for other in (*np.eye(3), np.array([0.5, 0.5, 0.0])):
        assert loss <= blend_loss(scores, other, truth, target) + 0.01 * abs(loss)
    assert weights[2] < 0.35


@pytest.mark.parametrize("problem", TARGETS)
def test_the_loss_is_that_of_the_mixed_scores(problem: str) -> None:
    target, weights = TARGETS[problem], np.array([0.5, 0.3, 0.2])
    scores, truth = _case(target, 3)
    mixed = mix(scores, weights, target)
    assert blend_loss(scores, weights, truth, target) == pytest.approx(
        blend_loss(mixed[None], np.ones(1), truth, target), rel=1e-9
    )


def test_a_certain_mistake_costs_much_but_is_finite() -> None:
    target = TARGETS["binary"]
    scores = np.array([[[900.0, -900.0]]])
    loss = blend_loss(scores, np.ones(1), np.array([1]), target)
    assert 100 < loss < np.inf


def test_losses_of_numbers_are_squared_error_and_pinball() -> None:
    scores, truth = np.array([[[1.0], [3.0]]]), np.array([0.0, 5.0])
    number = NumberTarget(column="y", source="number", center=0.0, spread=1.0)
    assert blend_loss(scores, np.ones(1), truth, number) == pytest.approx((1 + 4) / 2)
    high = number.model_copy(update={"quantiles": (0.9,)})
    assert blend_loss(scores, np.ones(1), truth, high) == pytest.approx((0.1 * 1 + 0.9 * 2) / 2)

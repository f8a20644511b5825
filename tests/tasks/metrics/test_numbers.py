from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from tasks.metrics.numbers import number_measures, per_quantile, quantile_measures, zero_targets
from tasks.metrics.table import metric_names
from tasks.metrics.weighted import measured, values

_RANDOM = np.random.default_rng(4)
TRUTH = _RANDOM.normal(1e6, 3.0, 300)
PREDICTED = TRUTH + _RANDOM.normal(size=300)
ASKED = (0.1, 0.5, 0.9)


def test_every_metric_is_scikit_learns_also_far_from_zero() -> None:
    weight = _RANDOM.integers(0, 3, 300).astype(float)
    for each in (np.ones(300), weight):
        found = {name: value[0] for name, value in measured(number_measures(TRUTH, PREDICTED), each[None]).items()}
        assert found == {
            "mae": pytest.approx(sk.mean_absolute_error(TRUTH, PREDICTED, sample_weight=each)),
            "rmse": pytest.approx(sk.root_mean_squared_error(TRUTH, PREDICTED, sample_weight=each)),
            "r2": pytest.approx(sk.r2_score(TRUTH, PREDICTED, sample_weight=each)),
            "mape": pytest.approx(sk.mean_absolute_percentage_error(TRUTH, PREDICTED, sample_weight=each)),
        }
    assert set(values(number_measures(TRUTH, PREDICTED), 300)) == set(metric_names("regression"))


def test_a_true_zero_has_no_percentage_error_and_is_counted() -> None:
    truth = np.array([0.0, 2.0, -4.0])
    assert values(number_measures(truth, truth + 1), 3)["mape"] == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert zero_targets(truth) == 1
    assert "mape" not in values(number_measures(np.zeros(2), np.ones(2)), 2)


def test_a_constant_truth_has_no_r2() -> None:
    assert "r2" not in values(number_measures(np.full(5, 7.0), np.arange(5.0)), 5)


def test_quantiles_by_hand() -> None:
    truth = np.array([0.0, 1.0, 2.0, 10.0])
    predicted = np.tile([0.5, 1.0, 4.0], (4, 1))
    found = values(quantile_measures(truth, predicted, ASKED), 4)
    each = [sk.mean_pinball_loss(truth, predicted[:, at], alpha=asked) for at, asked in enumerate(ASKED)]
    assert found == {
        "pinball": pytest.approx(np.mean(each)),
        "coverage": 0.5,
        "coverage_gap": pytest.approx(0.3),
    }
    assert set(found) == set(metric_names("quantile"))
    assert per_quantile(truth, predicted, ASKED) == [
        {"quantile": asked, "pinball": pytest.approx(loss), "below": below}
        for asked, loss, below in zip(ASKED, each, (0.25, 0.5, 0.75), strict=True)
    ]


def test_one_quantile_has_no_interval() -> None:
    assert set(values(quantile_measures(TRUTH, PREDICTED[:, None], (0.5,)), 300)) == {"pinball"}


@settings(max_examples=40, deadline=None)
@given(asked=st.floats(0.05, 0.95), seed=st.integers(0, 500))
def test_the_pinball_loss_is_least_at_the_quantile(asked: float, seed: int) -> None:
    truth = np.random.default_rng(seed).normal(size=41)
    best = np.quantile(truth, asked, method="inverted_cdf")
    losses = {
        shift: values(quantile_measures(truth, np.full((41, 1), best + shift), (asked,)), 41)["pinball"]
        for shift in (-0.5, 0.0, 0.5)
    }
    assert min(losses.values()) == losses[0.0]

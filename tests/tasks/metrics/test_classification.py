from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.evaluation.metrics import (
    classification_metrics,
    confusion,
    expected_calibration_error,
    selection_metrics,
)

TARGET = np.array([0, 0, 0, 0, 1, 1])
SCORE = np.array([0.1, 0.2, 0.6, 0.3, 0.4, 0.9])
BINARY = np.stack([1 - SCORE, SCORE], axis=1)


def test_two_classes_by_hand() -> None:
    metrics = classification_metrics(TARGET, BINARY)
    assert metrics == {
        "accuracy": pytest.approx(4 / 6),
        "balanced_accuracy": pytest.approx((3 / 4 + 1 / 2) / 2),
        "precision": pytest.approx(1 / 2),
        "recall": pytest.approx(1 / 2),
        "f1": pytest.approx(1 / 2),
        "roc_auc": pytest.approx(7 / 8),
        "average_precision": pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3),
        "log_loss": pytest.approx(-np.log([0.9, 0.8, 0.4, 0.7, 0.4, 0.9]).mean()),
        "brier": pytest.approx(np.mean([0.01, 0.04, 0.36, 0.09, 0.36, 0.01])),
        # One row in each of the bins of .6 (wrong), .7 and .8; two right ones in the bin of .9; .6 (wrong) again.
        "ece": pytest.approx((2 * 0.6 + 0.3 + 0.2 + 2 * 0.1) / 6),
    }
    assert confusion(TARGET, BINARY) == [[3, 1], [1, 1]]


def test_more_classes_are_averaged() -> None:
    target = np.array([0, 1, 2, 2])
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.2, 0.6]])
    metrics = classification_metrics(target, probabilities)
    assert metrics["precision"] == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert metrics["recall"] == pytest.approx((1 + 0 + 1) / 3)
    assert metrics["roc_auc"] == 1.0
    assert metrics["brier"] == pytest.approx((0.14 + 0.78 + 0.14 + 0.24) / 4)
    assert confusion(target, probabilities) == [[1, 0, 0], [1, 0, 0], [0, 0, 2]]


def test_what_is_undefined_is_left_out() -> None:
    metrics = classification_metrics(np.zeros(3, dtype=np.int64), BINARY[:3])
    assert "roc_auc" not in metrics
    assert "average_precision" not in metrics
    assert metrics["balanced_accuracy"] == pytest.approx(2 / 3)
    assert selection_metrics(np.zeros(3, dtype=np.int64), BINARY[:3])["roc_auc"] == 0.5


def test_an_absent_class_does_not_stop_the_others() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    metrics = classification_metrics(np.array([0, 1, 0]), probabilities)
    assert metrics["roc_auc"] == 1.0
    assert metrics["accuracy"] == 1.0


@settings(max_examples=60, deadline=None)
@given(classes=st.integers(2, 4), rows=st.integers(1, 40), seed=st.integers(0, 1000))
def test_every_metric_keeps_its_bounds(classes: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    target = random.integers(0, classes, rows)
    probabilities = random.dirichlet(np.ones(classes), rows)
    metrics = classification_metrics(target, probabilities)
    for name, value in metrics.items():
        assert isinstance(value, float)
        assert value >= 0.0
        if name not in {"log_loss", "brier"}:
            assert value <= 1.0 + 1e-12
    assert metrics["brier"] <= (1.0 if classes == 2 else 2.0)
    assert sum(map(sum, confusion(target, probabilities))) == rows


def test_certainty_that_is_right_is_calibrated() -> None:
    target = np.array([0, 1, 1])
    assert expected_calibration_error(target, np.eye(2)[target]) == 0.0
    assert expected_calibration_error(target, np.eye(2)[1 - target]) == 1.0

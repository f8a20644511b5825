from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from tasks.metrics.classification import calibration_measure, class_measures, confusion, per_class
from tasks.metrics.table import metric_names
from tasks.metrics.weighted import measured, values

TARGET = np.array([0, 0, 0, 0, 1, 1])
SCORE = np.array([0.1, 0.2, 0.6, 0.3, 0.4, 0.9])
BINARY = np.stack([1 - SCORE, SCORE], axis=1)


def _measured(target: np.ndarray, probabilities: np.ndarray, labels: np.ndarray | None = None) -> dict[str, float]:
    labels = probabilities.argmax(axis=1) if labels is None else labels
    return values(class_measures(target, probabilities, labels), len(target))


def _random(rows: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.integers(0, classes, rows), random.dirichlet(np.ones(classes), rows).round(2) + 1e-9


def _sklearn(target: np.ndarray, probabilities: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """The same by scikit-learn, where it has them, with weights for the rows."""
    label, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    given: dict[str, Any] = {"sample_weight": weight}
    found = {
        "accuracy": sk.accuracy_score(target, label, **given),
        "balanced_accuracy": sk.balanced_accuracy_score(target, label, **given),
        "mcc": sk.matthews_corrcoef(target, label, **given),
    }
    truth = np.eye(classes)[target]
    columns, scores = (truth[:, 1], probabilities[:, 1]) if classes == 2 else (truth, probabilities)
    for name, score in (("roc_auc", sk.roc_auc_score), ("average_precision", sk.average_precision_score)):
        found[name] = score(columns, scores, average="macro", **given)
    chosen = probabilities[np.arange(len(target)), target]
    found["log_loss"] = np.average(-np.log(chosen), weights=weight)
    squares = ((probabilities - truth) ** 2).sum(axis=1) / (2 if classes == 2 else 1)
    found["brier"] = np.average(squares, weights=weight)
    for average in ("macro", "micro", "binary") if classes == 2 else ("macro", "micro"):
        scored = sk.precision_recall_fscore_support(target, label, average=average, zero_division=0.0, **given)
        for name, value in zip(("precision", "recall", "f1"), scored[:3], strict=True):
            found[name if average == "binary" else f"{name}_{average}"] = value
    return {name: float(value) for name, value in found.items()}


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_metric_is_scikit_learns(classes: int, weighted: bool) -> None:
    target, probabilities = _random(300, classes)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    weight = np.random.default_rng(1).integers(0, 4, 300).astype(float) if weighted else np.ones(300)
    measures = class_measures(target, probabilities, probabilities.argmax(axis=1))
    found = measured(measures, np.stack([np.ones(300), weight]))
    expected = _sklearn(target, probabilities, weight)
    assert {name: each[1] for name, each in found.items() if name != "ece"} == pytest.approx(expected, abs=1e-12)
    assert set(found) == set(metric_names("binary" if classes == 2 else "multiclass"))


def test_two_classes_by_hand() -> None:
    metrics = _measured(TARGET, BINARY)
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert (metrics["precision"], metrics["recall"], metrics["f1"]) == (0.5, 0.5, 0.5)
    assert metrics["roc_auc"] == pytest.approx(7 / 8)
    assert metrics["average_precision"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert metrics["brier"] == pytest.approx(np.mean([0.01, 0.04, 0.36, 0.09, 0.36, 0.01]))
    # One row in each of the bins of .6 (wrong), .7 and .8; two right ones in the bin of .9; .6 (wrong) again.
    assert metrics["ece"] == pytest.approx((2 * 0.6 + 0.3 + 0.2 + 2 * 0.1) / 6)
    assert confusion(TARGET, BINARY.argmax(axis=1), 2) == [[3, 1], [1, 1]]


def test_labels_may_come_from_a_threshold() -> None:
    metrics = _measured(TARGET, BINARY, (SCORE >= 0.35).astype(np.int64))
    assert (metrics["recall"], metrics["precision"]) == (1.0, pytest.approx(2 / 3))
    assert metrics["ece"] == _measured(TARGET, BINARY)["ece"]
    assert metrics["log_loss"] == _measured(TARGET, BINARY)["log_loss"]


def test_what_is_undefined_is_left_out() -> None:
    metrics = _measured(np.zeros(3, dtype=np.int64), BINARY[:3])
    assert "roc_auc" not in metrics
    assert "average_precision" not in metrics
    assert metrics["balanced_accuracy"] == pytest.approx(2 / 3)
    assert metrics["mcc"] == 0.0


def test_a_class_neither_there_nor_said_counts_for_nothing() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    metrics = _measured(np.array([0, 1, 0]), probabilities)
    assert metrics["roc_auc"] == metrics["accuracy"] == metrics["f1_macro"] == 1.0


def test_a_sure_error_costs_much_but_not_everything() -> None:
    assert _measured(np.array([1]), np.array([[1.0, 0.0]]))["log_loss"] == pytest.approx(36.04, abs=0.01)


def test_each_class_has_its_line() -> None:
    target, probabilities = _random(200, 3)
    target[target == 2] = 0
    lines = per_class(target, probabilities, probabilities.argmax(axis=1), ["a", "b", "c"])
    assert [line["class"] for line in lines] == ["a", "b", "c"]
    assert [line["rows"] for line in lines] == [int((target == index).sum()) for index in range(3)]
    assert lines[1]["roc_auc"] == pytest.approx(sk.roc_auc_score(target == 1, probabilities[:, 1]))
    assert "roc_auc" not in lines[2]
    assert (lines[2]["recall"], lines[2]["precision"]) == (0.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(classes=st.integers(2, 4), rows=st.integers(1, 40), seed=st.integers(0, 1000))
def test_every_metric_keeps_its_bounds(classes: int, rows: int, seed: int) -> None:
    target, probabilities = _random(rows, classes, seed)
    metrics = _measured(target, probabilities / probabilities.sum(axis=1, keepdims=True))
    for name, value in metrics.items():
        assert value >= (-1.0 - 1e-12 if name == "mcc" else 0.0)
        if name not in {"log_loss", "brier"}:
            assert value <= 1.0 + 1e-12
    assert metrics["brier"] <= (1.0 if classes == 2 else 2.0)
    assert metrics["f1_micro"] == pytest.approx(metrics["accuracy"])


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(2, 30), seed=st.integers(0, 1000))
def test_a_weight_of_two_is_the_row_twice(rows: int, seed: int) -> None:
    target, probabilities = _random(rows, 2, seed)
    count = np.random.default_rng(seed).integers(1, 3, rows)
    measures = class_measures(target, probabilities, probabilities.argmax(axis=1))
    found = {name: each[0] for name, each in measured(measures, count[None].astype(float)).items()}
    twice = _measured(np.repeat(target, count), np.repeat(probabilities, count, axis=0))
    assert {name: value for name, value in found.items() if np.isfinite(value)} == pytest.approx(twice)


def test_certainty_that_is_right_is_calibrated() -> None:
    right, wrong = calibration_measure(np.ones(3), np.ones(3, bool)), calibration_measure(np.ones(3), np.zeros(3, bool))
    assert (values([right], 3), values([wrong], 3)) == ({"ece": 0.0}, {"ece": 1.0})

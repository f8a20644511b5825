from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tasks.evaluation.curves import class_curves, label_curves


def _scores(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    target = random.integers(0, classes, rows)
    probabilities = random.dirichlet(np.ones(classes), rows) + 0.5 * np.eye(classes)[target]
    return target, probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("rows", [30, 20_000])
def test_thinned_curves_keep_their_ends_and_their_area(rows: int) -> None:
    target, probabilities = _scores(rows, 2)
    (plot,) = class_curves(target, probabilities, classes=[False, True], points=100)
    assert plot["class"] is True
    false_positive, true_positive = plot["roc"]["false_positive_rate"], plot["roc"]["true_positive_rate"]
    assert len(false_positive) == len(true_positive) <= 100
    assert (false_positive[0], true_positive[0], false_positive[-1], true_positive[-1]) == (0.0, 0.0, 1.0, 1.0)
    area = np.trapezoid(true_positive, false_positive)
    assert area == pytest.approx(roc_auc_score(target, probabilities[:, 1]), abs=2e-3)
    recall, precision = plot["pr"]["recall"], plot["pr"]["precision"]
    assert len(recall) == len(precision) <= 100
    assert (recall[0], recall[-1]) == (0.0, 1.0)


def test_calibration_counts_every_row() -> None:
    target, probabilities = _scores(500, 2)
    (plot,) = class_curves(target, probabilities, classes=[0, 1], points=200)
    calibration = plot["calibration"]
    assert sum(calibration["count"]) == 500
    weighted = np.dot(calibration["observed"], calibration["count"]) / 500
    assert weighted == pytest.approx(target.mean())
    assert calibration["predicted"] == sorted(calibration["predicted"])


def test_each_of_more_classes_has_its_curves_where_it_can() -> None:
    target, probabilities = _scores(60, 3)
    assert [plot["class"] for plot in class_curves(target, probabilities, classes=["a", "b", "c"], points=50)] == [
        "a",
        "b",
        "c",
    ]
    target[target == 1] = 0
    plots = class_curves(target, probabilities, classes=["a", "b", "c"], points=50)
    assert [plot["class"] for plot in plots] == ["a", "c"]
    json.dumps(plots, allow_nan=False)


def test_gains_find_the_best_first_and_share_ties_evenly() -> None:
    target = np.array([1] * 2 + [0] * 18)
    score = np.linspace(0.9, 0.1, 20)
    (sure,) = class_curves(target, np.stack([1 - score, score], axis=1), classes=[0, 1], points=50)
    assert sure["gains"]["found"][0] == pytest.approx(1.0)
    assert sure["gains"]["lift"][0] == pytest.approx(10.0)
    assert (sure["gains"]["share"][-1], sure["gains"]["found"][-1], sure["gains"]["lift"][-1]) == (1.0, 1.0, 1.0)
    (blind,) = class_curves(target, np.full((20, 2), 0.5), classes=[0, 1], points=50)
    assert blind["gains"]["lift"] == pytest.approx([1.0] * 10)


def test_each_label_has_its_curves() -> None:
    target, probabilities = _scores(60, 2)
    truth = np.stack([target == 1, target == 0, target < 0], axis=1)
    plots = label_curves(truth, probabilities[:, [1, 0, 0]], labels=["a", "b", "never"], points=50)
    assert [plot["class"] for plot in plots] == ["a", "b"]

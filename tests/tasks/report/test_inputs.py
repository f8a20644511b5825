from __future__ import annotations

import numpy as np
import pytest

from tasks.evaluation.curves import class_curves
from tasks.report.evaluated import Curves
from tasks.report.inputs import GateLine, History


@pytest.mark.parametrize(
    ("comparison", "bound", "measured", "margin"),
    [
        (">=", 0.5, 0.75, 0.25),
        (">=", 0.75, 0.5, -0.25),
        ("<=", 2.0, 1.5, 0.5),
        ("<=", 1.5, 2.0, -0.5),
        ("<=", 1.0, None, None),
    ],
)
def test_a_margin_is_negative_where_the_gate_refused(
    comparison: str, bound: float, measured: float | None, margin: float | None
) -> None:
    values = {"name": "g", "passed": True, "comparison": comparison, "bound": bound, "measured": measured}
    assert GateLine.model_validate(values).margin == margin


def test_a_history_is_read_from_rounds() -> None:
    rounds = [
        {"round": 1, "steps": 100, "train_loss": 0.6, "learning_rate": 0.1, "log_loss": 0.5, "roc_auc": 0.7},
        {"round": 2, "steps": 200, "train_loss": 0.5, "learning_rate": 0.1, "log_loss": 0.4, "roc_auc": 0.8},
        {"round": 3, "steps": 300, "train_loss": 0.4, "learning_rate": 0.1, "log_loss": 0.45, "roc_auc": 0.7},
    ]
    history = History.of_rounds(rounds, best_round=2)
    assert history.training == ([100, 200, 300], [0.6, 0.5, 0.4])
    assert history.validation == ([100, 200, 300], [0.5, 0.4, 0.45])
    assert history.best_step == 200


def test_a_metric_in_another_unit_stands_without_the_loss() -> None:
    rounds = [{"round": 1, "steps": 10, "train_loss": 0.6, "rmse": 31.0}]
    history = History.of_rounds(rounds, 1, "rmse")
    assert (history.training, history.validation, history.metric) == (([], []), ([10], [31.0]), "rmse")


def test_no_rounds_are_no_history() -> None:
    assert History.of_rounds([], 0).best_step is None


@pytest.mark.parametrize(("classes", "lines"), [([False, True], ["True"]), (["a", "b", "c"], ["a", "b", "c"])])
def test_curves_are_read_from_an_evaluation(classes: list[object], lines: list[str]) -> None:
    random = np.random.default_rng(0)
    scores = random.random((90, len(classes)))
    target = np.arange(90) % len(classes)
    found = Curves.of_classes(
        class_curves(target, scores / scores.sum(axis=1, keepdims=True), classes=classes, points=20)
    )
    for kind in (found.roc, found.precision_recall, found.calibration, found.gains, found.lift):
        assert list(kind) == lines
        assert all(len(xs) == len(ys) > 1 for xs, ys in kind.values())
    xs, ys = found.roc[lines[0]]
    assert (xs[0], ys[0], xs[-1], ys[-1]) == (0.0, 0.0, 1.0, 1.0)

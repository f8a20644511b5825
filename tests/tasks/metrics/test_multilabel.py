from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from tasks.metrics.multilabel import label_measures, per_label
from tasks.metrics.table import metric_names
from tasks.metrics.weighted import values

_RANDOM = np.random.default_rng(3)
TRUTH = _RANDOM.random((200, 3)) < [0.2, 0.5, 0.7]
SCORES = np.clip(_RANDOM.random((200, 3)) * 0.7 + 0.3 * TRUTH, 0.01, 0.99)
LABELS = np.array(SCORES >= [0.4, 0.5, 0.6])


def test_every_metric_is_scikit_learns() -> None:
    found = values(label_measures(TRUTH, SCORES, LABELS), 200)
    expected = {
        "roc_auc": sk.roc_auc_score(TRUTH, SCORES, average="macro"),
        "average_precision": sk.average_precision_score(TRUTH, SCORES, average="macro"),
        "subset_accuracy": sk.accuracy_score(TRUTH, LABELS),
        "hamming_loss": sk.hamming_loss(TRUTH, LABELS),
        "log_loss": np.mean([sk.log_loss(TRUTH[:, at], SCORES[:, at]) for at in range(3)]),
        "brier": np.mean([sk.brier_score_loss(TRUTH[:, at], SCORES[:, at]) for at in range(3)]),
    }
    for average in ("macro", "micro"):
        scored = sk.precision_recall_fscore_support(TRUTH, LABELS, average=average, zero_division=0.0)
        expected |= dict(zip((f"{name}_{average}" for name in ("precision", "recall", "f1")), scored, strict=False))
    error = found.pop("ece")
    assert found == pytest.approx({name: float(value) for name, value in expected.items()})
    assert {*found, "ece"} == set(metric_names("multilabel"))
    bins = np.minimum((SCORES * 15).astype(int), 14)
    gaps = [
        sum(abs((SCORES[bins[:, at] == each, at] - TRUTH[bins[:, at] == each, at]).sum()) for each in range(15)) / 200
        for at in range(3)
    ]
    assert error == pytest.approx(np.mean(gaps))


def test_each_label_has_its_line_and_one_that_never_holds_no_area() -> None:
    truth = TRUTH.copy()
    truth[:, 2] = False
    lines = per_label(truth, SCORES, LABELS, ["x", "y", "z"])
    assert [line["class"] for line in lines] == ["x", "y", "z"]
    assert lines[0]["f1"] == pytest.approx(sk.f1_score(truth[:, 0], LABELS[:, 0]))
    assert "roc_auc" not in lines[2]
    assert values(label_measures(truth, SCORES, LABELS), 200)["roc_auc"] == pytest.approx(
        np.mean([line["roc_auc"] for line in lines[:2]])
    )

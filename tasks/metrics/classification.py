"""Metrics of classifiers, for two classes and for more.

With two classes, precision, recall, F1, ROC-AUC, average precision and Brier score are those of the second class.
With more, they are the unweighted mean over the classes (macro), ROC-AUC and average precision one class against the
rest; the Brier score is the sum over the classes (Brier, 1950) and so can reach 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CALIBRATION_BINS = 15
METRIC_NAMES = (
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "ece",
)


def classification_metrics(target: Integers, probabilities: Floats) -> dict[str, float]:
    """Measure predictions.

    Args:
        target: int64 `[N]`, indices of the true classes, `N >= 1`.
        probabilities: float64 `[N, C]`; each row sums to 1.

    Returns:
        The metrics of `METRIC_NAMES`. A ranking metric is left out where it is undefined: no class, or no pair of
        classes, is present in `target`.
    """
    label = probabilities.argmax(axis=1)
    labels = list(range(probabilities.shape[1]))
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        target, label, labels=labels, zero_division=0.0, **_averaging(probabilities)
    )
    present = np.unique(target)
    return {
        "accuracy": float(sk.accuracy_score(target, label)),
        # The mean recall of the classes that occur: scikit-learn's own function warns of absent ones.
        "balanced_accuracy": float(np.mean([np.mean(label[target == value] == value) for value in present])),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        **_ranking(target, probabilities),
        "log_loss": log_loss(target, probabilities),
        "brier": _brier(target, probabilities),
        "ece": expected_calibration_error(target, probabilities),
    }


def selection_metrics(target: Integers, probabilities: Floats) -> dict[str, float]:
    """Return the two metrics that training selects by: `log_loss` and `roc_auc`.

    ROC-AUC is 0.5 where it is undefined, so that a split with one class ranks every round alike.
    """
    area = _per_class(target, probabilities, sk.roc_auc_score)
    return {"log_loss": log_loss(target, probabilities), "roc_auc": 0.5 if area is None else area}


def log_loss(target: Integers, probabilities: Floats) -> float:
    """Return the mean negative log-likelihood in nats; classes absent from `target` are allowed."""
    return float(sk.log_loss(target, probabilities, labels=list(range(probabilities.shape[1]))))


def expected_calibration_error(target: Integers, probabilities: Floats, bins: int = CALIBRATION_BINS) -> float:
    """Return the mean gap between confidence and accuracy over equal-width bins (Guo et al., ICML 2017).

    Confidence is the probability of the predicted class.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == target
    position = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(position, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(target))


def confusion(target: Integers, probabilities: Floats) -> list[list[int]]:
    """Return the confusion matrix: a row for each true class, a column for each predicted one."""
    labels = list(range(probabilities.shape[1]))
    matrix = sk.confusion_matrix(target, probabilities.argmax(axis=1), labels=labels)
    return [[int(count) for count in row] for row in matrix]


def _averaging(probabilities: Floats) -> dict[str, Any]:
    if probabilities.shape[1] == 2:
        return {"average": "binary", "pos_label": 1}
    return {"average": "macro"}


def _ranking(target: Integers, probabilities: Floats) -> dict[str, float]:
    values = {
        "roc_auc": _per_class(target, probabilities, sk.roc_auc_score),
        "average_precision": _per_class(target, probabilities, sk.average_precision_score),
    }
    return {name: value for name, value in values.items() if value is not None}


def _per_class(target: Integers, probabilities: Floats, score: Callable[..., Any]) -> float | None:
    """Score each class against the rest and average; None where no class has both members and others."""
    classes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    scored = [
        float(score(target == value, probabilities[:, value]))
        for value in classes
        if 0 < np.count_nonzero(target == value) < len(target)
    ]
    return float(np.mean(scored)) if scored else None


def _brier(target: Integers, probabilities: Floats) -> float:
    if probabilities.shape[1] == 2:
        return float(np.mean((probabilities[:, 1] - (target == 1)) ** 2))
    truth = np.eye(probabilities.shape[1])[target]
    return float(np.mean(((probabilities - truth) ** 2).sum(axis=1)))

"""Metrics of classes.

With two classes, ROC-AUC, average precision, precision, recall, F1 and the Brier score are those of the second class.
With more, ROC-AUC and average precision are means of each class against the rest, and the Brier score is the sum over
the classes (Brier, 1950), which can reach 2. Labels are what the decision made of the probabilities: a threshold may
have had its say. ROC-AUC, log loss, Brier score and calibration error are of the probabilities alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.metrics.counts import AVERAGES, Counts, matthews
from tasks.metrics.ranking import Ranking
from tasks.metrics.weighted import (
    Floats,
    Integers,
    Measure,
    divided,
    mean_of_defined,
    sums_by,
    values,
    weighted_mean,
)

CALIBRATION_BINS = 15

_SMALLEST = float(np.finfo(np.float64).eps)


def class_measures(target: Integers, probabilities: Floats, labels: Integers) -> tuple[Measure, ...]:
    """Return the metrics of classes.

    Args:
        target: int64 `[N]`, indices of the true classes.
        probabilities: float64 `[N, C]`; each row sums to 1.
        labels: int64 `[N]`, indices of the classes that were chosen.
    """
    return (
        _counted(target, labels, probabilities.shape[1]),
        *_ranked(target, probabilities),
        *probability_measures(target, probabilities),
    )


def probability_measures(target: Integers, probabilities: Floats) -> tuple[Measure, ...]:
    """Return the metrics that calibration can mend: log loss in nats, Brier score, expected calibration error.

    A probability of zero counts as 2.2e-16 in the log loss. Arguments as for `class_measures`.
    """
    chosen = probabilities[np.arange(len(target)), target]
    loss = -np.log(np.maximum(chosen, _SMALLEST))
    gaps = (probabilities - np.eye(probabilities.shape[1])[target]) ** 2
    brier = gaps[:, 1] if probabilities.shape[1] == 2 else gaps.sum(axis=1)
    return (
        Measure(("log_loss",), lambda weights: {"log_loss": weighted_mean(weights, loss)}),
        Measure(("brier",), lambda weights: {"brier": weighted_mean(weights, brier)}),
        calibration_measure(probabilities.max(axis=1), probabilities.argmax(axis=1) == target),
    )


def calibration_measure(confidence: Floats, right: NDArray[np.bool_], bins: int = CALIBRATION_BINS) -> Measure:
    """Return the mean gap between confidence and accuracy over equal-width bins (Guo et al., ICML 2017).

    Args:
        confidence: float64 `[N]`, the largest probability.
        right: bool `[N]`, whether it is that of the true class.
        bins: How many.
    """
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    excess = confidence - right

    def error(weights: Floats) -> dict[str, Floats]:
        gaps = np.abs(sums_by(weights, place, bins, excess)).sum(axis=1)
        return {"ece": divided(gaps, weights.sum(axis=1))}

    return Measure(("ece",), error)


def confusion(target: Integers, labels: Integers, classes: int) -> list[list[int]]:
    """Return the confusion matrix: a row for each true class, a column for each chosen one."""
    cells = np.bincount(target * classes + labels, minlength=classes * classes)
    matrix: list[list[int]] = cells.reshape(classes, classes).tolist()
    return matrix


def per_class(target: Integers, probabilities: Floats, labels: Integers, names: list[Any]) -> list[dict[str, Any]]:
    """Return for each class `class`, `rows`, `precision`, `recall`, `f1`, and its area against the rest if it has one.

    Args:
        target: As for `class_measures`, like the next two.
        probabilities: The same.
        labels: The same.
        names: What each index stands for.
    """
    counts = Counts.of_classes(np.ones((1, len(target))), target, labels, len(names))
    areas = [
        values(ranking_measures([(target == index, probabilities[:, index])]), len(target))
        for index in range(len(names))
    ]
    return described(names, counts, areas)


def described(names: list[Any], counts: Counts, areas: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Write counts and areas of one weighting down, a record for each class or label."""
    return [
        {
            "class": name,
            "rows": int(counts.there[0, index]),
            **{each: float(getattr(counts, each)[0, index]) for each in ("precision", "recall", "f1")},
            **areas[index],
        }
        for index, name in enumerate(names)
    ]


def ranking_measures(wanted: list[tuple[NDArray[np.bool_], Floats]]) -> tuple[Measure, Measure]:
    """Return ROC-AUC and average precision, each the mean over pairs of truth bool `[N]` and score float64 `[N]`."""
    rankings = [Ranking.of(truth, score) for truth, score in wanted]

    def mean(weights: Floats, name: str) -> dict[str, Floats]:
        return {name: mean_of_defined(np.stack([getattr(each, name)(weights) for each in rankings], axis=1))}

    return (
        Measure(("roc_auc",), lambda weights: mean(weights, "roc_auc")),
        Measure(("average_precision",), lambda weights: mean(weights, "average_precision")),
    )


def _ranked(target: Integers, probabilities: Floats) -> tuple[Measure, Measure]:
    indices = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return ranking_measures([(target == index, probabilities[:, index]) for index in indices])


def _counted(target: Integers, labels: Integers, classes: int) -> Measure:
    second = ("precision", "recall", "f1") if classes == 2 else ()

    def count(weights: Floats) -> dict[str, Floats]:
        counts = Counts.of_classes(weights, target, labels, classes)
        return {
            "accuracy": divided(counts.right.sum(axis=1), counts.there.sum(axis=1)),
            # The mean recall of the classes that occur, whatever else was said.
            "balanced_accuracy": mean_of_defined(np.where(counts.there > 0, counts.recall, np.nan)),
            "mcc": matthews(counts),
            **counts.averages(),
            **{name: getattr(counts, name)[:, 1] for name in second},
        }

    return Measure(("accuracy", "balanced_accuracy", "mcc", *AVERAGES, *second), count)

"""Curves for plots: ROC, precision and recall, calibration, each of a bounded number of points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

from tasks.evaluation.metrics import CALIBRATION_BINS, Floats, Integers


def curves(target: Integers, probabilities: Floats, *, classes: list[Any], points: int) -> list[dict[str, Any]]:
    """Return the curves of the second class of two, or of every class of more against the rest.

    Args:
        target: int64 `[N]`, indices of the true classes.
        probabilities: float64 `[N, C]`.
        classes: What each index stands for.
        points: Most points of a curve; the ends are always among them.

    Returns:
        For each class that has members and others, `class`, `roc` (`false_positive_rate`, `true_positive_rate`),
        `pr` (`recall`, `precision`) and `calibration` (`predicted`, `observed`, `count`: one for each bin with rows).
    """
    wanted = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return [
        {"class": classes[index], **_of_class(target == index, probabilities[:, index], points)}
        for index in wanted
        if 0 < np.count_nonzero(target == index) < len(target)
    ]


def _of_class(truth: npt.NDArray[np.bool_], score: Floats, points: int) -> dict[str, Any]:
    false_positive, true_positive, _ = sk.roc_curve(truth, score)
    precision, recall, _ = sk.precision_recall_curve(truth, score)
    return {
        # Along both axes of a ROC curve, for it may rise steeply; a precision jumps, its recall does not.
        "roc": _thinned(
            points,
            false_positive + true_positive,
            false_positive_rate=false_positive,
            true_positive_rate=true_positive,
        ),
        "pr": _thinned(points, recall[::-1], recall=recall[::-1], precision=precision[::-1]),
        "calibration": _calibration(truth, score),
    }


def _thinned(points: int, along: Floats, **axes: Floats) -> dict[str, list[float]]:
    """Take points at even steps of `along`, which ascends, and both ends."""
    last = len(along) - 1
    index = np.arange(last + 1)
    if last >= points:
        steps = np.linspace(along[0], along[-1], points - 1)
        index = np.unique(np.append(np.searchsorted(along, steps).clip(0, last), [0, last]))
    return {name: [float(value) for value in axis[index]] for name, axis in axes.items()}


def _calibration(truth: npt.NDArray[np.bool_], score: Floats) -> dict[str, list[float] | list[int]]:
    position = np.minimum((score * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    count = np.bincount(position, minlength=CALIBRATION_BINS)
    used = count > 0
    predicted = np.bincount(position, weights=score, minlength=CALIBRATION_BINS)[used] / count[used]
    observed = np.bincount(position, weights=truth, minlength=CALIBRATION_BINS)[used] / count[used]
    return {
        "predicted": [float(value) for value in predicted],
        "observed": [float(value) for value in observed],
        "count": [int(value) for value in count[used]],
    }

"""Curves of classes and labels for plots, each of a bounded number of points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.metrics.classification import CALIBRATION_BINS
from tasks.metrics.weighted import Floats, Integers

Booleans = npt.NDArray[np.bool_]

_TENTHS = np.arange(1, 11) / 10


def class_curves(
    target: Integers, probabilities: Floats, *, classes: Sequence[Any], points: int
) -> list[dict[str, Any]]:
    """Return the curves of the second class of two, or of every class of more against the rest.

    Args:
        target: int64 `[N]`, indices of the true classes.
        probabilities: float64 `[N, C]`.
        classes: What each index stands for.
        points: Most points of a curve; the ends are always among them.

    Returns:
        For each class that has members and others, `class`, `roc` (`false_positive_rate`, `true_positive_rate`),
        `pr` (`recall`, `precision`), `calibration` (`predicted`, `observed`, `count`: one for each bin with rows) and
        `gains` (`share` of the rows, best first, in tenths; `found`: the share of the members among them; `lift`:
        the first's ratio to what chance finds).
    """
    wanted = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return _curves([(classes[index], target == index, probabilities[:, index]) for index in wanted], points)


def label_curves(
    target: Booleans, probabilities: Floats, *, labels: Sequence[Any], points: int
) -> list[dict[str, Any]]:
    """Return for each label what `class_curves` returns for each class; `target` is bool `[N, L]`."""
    named = [(name, target[:, index], probabilities[:, index]) for index, name in enumerate(labels)]
    return _curves(named, points)


def _curves(named: list[tuple[Any, Booleans, Floats]], points: int) -> list[dict[str, Any]]:
    return [
        {"class": name, **_of_class(truth, score, points)}
        for name, truth, score in named
        if 0 < np.count_nonzero(truth) < len(truth)
    ]


def _of_class(truth: Booleans, score: Floats, points: int) -> dict[str, Any]:
    from sklearn import metrics as sk  # noqa: PLC0415 - a second to import, and only this needs it

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
        "calibration": calibration_curve(truth, score),
        "gains": _gains(truth, score),
    }


def _thinned(points: int, along: Floats, **axes: Floats) -> dict[str, list[float]]:
    """Take points at even steps of `along`, which ascends, and both ends."""
    last = len(along) - 1
    index = np.arange(last + 1)
    if last >= points:
        steps = np.linspace(along[0], along[-1], points - 1)
        index = np.unique(np.append(np.searchsorted(along, steps).clip(0, last), [0, last]))
    return {name: [float(value) for value in axis[index]] for name, axis in axes.items()}


def calibration_curve(truth: Booleans, score: Floats) -> dict[str, list[float] | list[int]]:
    """Return the mean `predicted` probability, the `observed` share and the `count` of each bin that has rows."""
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


def _gains(truth: Booleans, score: Floats) -> dict[str, list[float]]:
    """Find members from the highest score down; rows of one score count evenly, for their order means nothing."""
    values, place = np.unique(-score, return_inverse=True)
    rows = np.append(0, np.cumsum(np.bincount(place, minlength=len(values)))) / len(truth)
    members = np.append(0, np.cumsum(np.bincount(place, weights=truth, minlength=len(values)))) / truth.sum()
    found = np.interp(_TENTHS, rows, members)
    return {"share": _TENTHS.tolist(), "found": found.tolist(), "lift": (found / _TENTHS).tolist()}

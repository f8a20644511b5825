"""What a model's predictions come to: pure functions from predictions to the content of an evaluation's files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.curves import calibration_curve, class_curves, label_curves
from tasks.evaluation.held_out import Truth
from tasks.evaluation.number_curves import number_curves, quantile_curves
from tasks.metrics.bootstrap import Resampling, intervals
from tasks.metrics.classification import confusion, per_class
from tasks.metrics.measures import measures_of
from tasks.metrics.multilabel import per_label
from tasks.metrics.numbers import per_quantile, zero_targets
from tasks.metrics.weighted import values
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Target


def metrics_of(target: Target, truth: Truth, predicted: Predictions) -> dict[str, float]:
    """Return every metric of a problem (`tasks.metrics.table`) that is defined for these rows."""
    return values(measures_of(target, truth.values, predicted), len(truth))


def findings(target: Target, truth: Truth, predicted: Predictions, resampling: Resampling) -> dict[str, Any]:
    """Measure a model.

    Args:
        target: What is predicted.
        truth: What was true.
        predicted: What the model said of the same rows.
        resampling: How the intervals are made; its groups are the truth's.

    Returns:
        `problem`, `rows`, `test` (metrics), `intervals` (low and high of each), `bootstrap` (how they were made), and
        for classes `classes`, `confusion` and `per_class`, for labels `per_class`, for numbers `zero_targets` (rows
        without a percentage error), for quantiles `per_quantile`.
    """
    measures = measures_of(target, truth.values, predicted)
    found = intervals(measures, len(truth), resampling)
    return {
        "problem": target.problem,
        "rows": len(truth),
        "test": values(measures, len(truth)),
        "intervals": {name: list(interval) for name, interval in found.items()},
        "bootstrap": {
            "resamples": resampling.resamples,
            "confidence": resampling.confidence,
            "seed": resampling.seed,
            "groups": None if truth.groups is None else int(truth.groups.max()) + 1,
        },
        **_details(target, truth.values, predicted),
    }


def _details(target: Target, truth: NDArray[Any], predicted: Predictions) -> dict[str, Any]:
    if isinstance(target, ClassTarget):
        assert predicted.probabilities is not None
        assert predicted.labels is not None
        names = list(target.classes)
        return {
            "classes": names,
            "confusion": confusion(truth, predicted.labels, len(names)),
            "per_class": per_class(truth, predicted.probabilities, predicted.labels, names),
        }
    if isinstance(target, LabelsTarget):
        assert predicted.probabilities is not None
        assert predicted.labels is not None
        return {"per_class": per_label(truth, predicted.probabilities, predicted.labels, list(target.labels))}
    assert predicted.numbers is not None
    if target.quantiles:
        return {"per_quantile": per_quantile(truth, predicted.numbers, target.quantiles)}
    return {"zero_targets": zero_targets(truth)}


def curves_of(target: Target, truth: Truth, predicted: Predictions, points: int) -> dict[str, Any]:
    """Return the figures for plots.

    Args:
        target: What is predicted.
        truth: What was true.
        predicted: What the model said.
        points: Most points of a curve.

    Returns:
        `classes` (`tasks.evaluation.curves`), or the figures of `tasks.evaluation.number_curves`.
    """
    if isinstance(target, ClassTarget):
        assert predicted.probabilities is not None
        return {"classes": class_curves(truth.values, predicted.probabilities, classes=target.classes, points=points)}
    if isinstance(target, LabelsTarget):
        assert predicted.probabilities is not None
        return {"classes": label_curves(truth.values, predicted.probabilities, labels=target.labels, points=points)}
    assert predicted.numbers is not None
    if target.quantiles:
        return quantile_curves(truth.values, predicted.numbers, target.quantiles, points)
    return number_curves(truth.values, predicted.numbers, points)


def uncalibrated_curves(target: Target, truth: Truth, predicted: Predictions) -> list[dict[str, Any]]:
    """Return `class` and `calibration` of what the model said before it was calibrated; none for numbers."""
    if predicted.probabilities is None:
        return []
    if isinstance(target, ClassTarget):
        wanted = [1] if len(target.classes) == 2 else list(range(len(target.classes)))
        named = [(target.classes[index], truth.values == index, index) for index in wanted]
    else:
        assert isinstance(target, LabelsTarget)
        named = [(name, truth.values[:, index], index) for index, name in enumerate(target.labels)]
    return [
        {"class": name, "calibration": calibration_curve(np.asarray(holds), predicted.probabilities[:, index])}
        for name, holds, index in named
    ]

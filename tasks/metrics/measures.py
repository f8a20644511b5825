"""The metrics of a target, whatever kind of problem it makes."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from tasks.metrics.classification import class_measures
from tasks.metrics.multilabel import label_measures
from tasks.metrics.numbers import number_measures, quantile_measures
from tasks.metrics.weighted import Measure
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import LabelsTarget, NumberTarget, Target


def measures_of(target: Target, truth: NDArray[Any], predicted: Predictions) -> tuple[Measure, ...]:
    """Return the metrics of `tasks.metrics.table` that a target has.

    Args:
        target: What is predicted.
        truth: int64 `[N]` of class indices, bool `[N, L]` of labels, or float64 `[N]` in the target's own unit.
        predicted: For the same rows.
    """
    if isinstance(target, NumberTarget):
        assert predicted.numbers is not None
        if target.quantiles:
            return quantile_measures(truth, predicted.numbers, target.quantiles)
        return number_measures(truth, predicted.numbers)
    assert predicted.probabilities is not None
    assert predicted.labels is not None
    if isinstance(target, LabelsTarget):
        return label_measures(truth, predicted.probabilities, predicted.labels)
    return class_measures(truth, predicted.probabilities, predicted.labels)

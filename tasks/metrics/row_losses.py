"""The loss of every single row, which slices and explanations rank rows by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.metrics.numbers import pinball
from tasks.metrics.weighted import Floats
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import LabelsTarget, NumberTarget, Problem, Target

# A row that was wrongly held for impossible must not outweigh all others.
_SMALLEST = 1e-6

LOSS_OF: dict[Problem, str] = {
    "binary": "log loss",
    "multiclass": "log loss",
    "multilabel": "log loss, mean of the labels",
    "regression": "absolute error",
    "quantile": "pinball loss",
}


def row_losses(target: Target, truth: NDArray[Any], predicted: Predictions) -> Floats:
    """Return each row's loss, float64 `[N]`: what `LOSS_OF` says, log losses in nats and at most 13.8.

    Args:
        target: What is predicted.
        truth: As for `tasks.metrics.measures.measures_of`.
        predicted: For the same rows.
    """
    if isinstance(target, NumberTarget):
        assert predicted.numbers is not None
        if target.quantiles:
            return np.asarray(pinball(truth, predicted.numbers, target.quantiles).mean(axis=1))
        return np.asarray(np.abs(truth - predicted.numbers))
    assert predicted.probabilities is not None
    chosen = predicted.probabilities
    if isinstance(target, LabelsTarget):
        return np.asarray(-np.log(np.maximum(np.where(truth, chosen, 1 - chosen), _SMALLEST)).mean(axis=1))
    return np.asarray(-np.log(np.maximum(chosen[np.arange(len(truth)), truth], _SMALLEST)))


def rows_of(predicted: Predictions, rows: NDArray[np.int64]) -> Predictions:
    """Return the predictions of some rows."""
    parts = {name: getattr(predicted, name) for name in ("probabilities", "labels", "numbers")}
    return Predictions(**{name: None if part is None else part[rows] for name, part in parts.items()})

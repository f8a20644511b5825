"""Predictions: from scores to probabilities and labels, or to numbers, in float64.

`tasks.export.predictions_graph` emits the same as ONNX operators; a change here is a change there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from tasks.prediction.decision import Decision
from tasks.preprocessing.scaling import apply_curve
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target

Floats = NDArray[np.float64]

# Beyond these log odds a probability differs from 0 or 1 by less than 3e-9, and their digits get lost on the way.
ODDS_LIMIT = 20.0


@dataclass(frozen=True)
class Predictions:
    """What a model answers for N records.

    Attributes:
        probabilities: float64 `[N, C]` of classes or `[N, L]` of labels; None for numbers.
        labels: int64 `[N]`, places in `ClassTarget.classes`, or bool `[N, L]`; None for numbers.
        numbers: float64 `[N]`, or `[N, Q]` of quantiles that ascend within a row; None for classes and labels.
    """

    probabilities: Floats | None = None
    labels: NDArray[Any] | None = None
    numbers: Floats | None = None


def predictions(scores: Floats, target: Target, decision: Decision) -> Predictions:
    """Turn scores into an answer.

    Args:
        scores: float64 `[N, O]` as `tasks.models.predictor.Predictor.scores` gives them.
        target: What they stand for.
        decision: Calibration and thresholds; `Decision()` for none.
    """
    if isinstance(target, NumberTarget):
        return Predictions(numbers=_numbers(scores, target, decision))
    probabilities = _probabilities(scores, target, decision)
    return Predictions(probabilities=probabilities, labels=decide(probabilities, target, decision))


def decide(probabilities: Floats, target: ClassTarget | LabelsTarget, decision: Decision) -> NDArray[Any]:
    """Choose labels by probabilities, calibrated or any other way come by.

    Probabilities are compared as float32: that is how they are served, and float64 sums that differ in the last bit,
    as two libraries' do, decide alike.

    Args:
        probabilities: float64 `[N, C]` or `[N, L]`.
        target: What they are of.
        decision: Of which the thresholds count.

    Returns:
        int64 `[N]`, places in `target.classes`, or bool `[N, L]`.
    """
    rounded = probabilities.astype(np.float32)
    if isinstance(target, LabelsTarget):
        return np.asarray(rounded >= np.array(decision.thresholds or 0.5, np.float32))
    if decision.thresholds:
        return np.asarray(rounded[:, 1] >= np.float32(decision.thresholds[0])).astype(np.int64)
    return np.asarray(rounded.argmax(axis=1))


def log_odds(scores: Floats, target: ClassTarget | LabelsTarget) -> Floats:
    """Return the log odds of the second class of two `[N, 1]`, of each class of more or of each label `[N, O]`.

    They are cut off at `ODDS_LIMIT`.
    """
    if isinstance(target, LabelsTarget):
        odds = scores
    elif target.problem == "binary":
        odds = scores[:, 1:] - scores[:, :1]
    else:
        below = scores - scores.max(axis=1, keepdims=True)
        powers = np.exp(below)
        with np.errstate(divide="ignore"):
            odds = below - np.log(powers.sum(axis=1, keepdims=True) - powers)
    return np.asarray(np.clip(odds, -ODDS_LIMIT, ODDS_LIMIT))


def _probabilities(scores: Floats, target: ClassTarget | LabelsTarget, decision: Decision) -> Floats:
    scaled = scores / decision.temperature
    if not decision.curves:
        return np.asarray(expit(scaled) if isinstance(target, LabelsTarget) else softmax(scaled, axis=1))
    odds = log_odds(scaled, target)
    bent = np.stack([apply_curve(curve, odds[:, place]) for place, curve in enumerate(decision.curves)], axis=1)
    if isinstance(target, LabelsTarget):
        return bent
    if target.problem == "binary":
        return np.concatenate([1 - bent, bent], axis=1)
    return np.asarray(bent / bent.sum(axis=1, keepdims=True))


def _numbers(scores: Floats, target: NumberTarget, decision: Decision) -> Floats:
    standardized = np.sort(scores, axis=1)
    if decision.shifts:
        standardized = np.sort(standardized + np.array(decision.shifts), axis=1)
    numbers = standardized * target.spread + target.center
    return numbers if target.quantiles else numbers[:, 0]

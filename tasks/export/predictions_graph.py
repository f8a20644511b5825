"""The decision as ONNX operators: what `tasks.prediction.predictions` does, emitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.export.curve_graph import bent_rows
from tasks.export.outputs import class_array
from tasks.export.standards import LABEL, LABELS, PREDICTION, PROBABILITIES, QUANTILES
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import ODDS_LIMIT
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target


def build_predictions(scores: Var, target: Target, decision: Decision) -> dict[str, Var]:
    """Emit the model's outputs.

    Args:
        scores: float32 or float64 [batch, O]; everything is computed in float64.
        target: What the scores stand for.
        decision: Calibration and thresholds.

    Returns:
        The outputs of the problem (`tasks.export.standards.OUTPUTS`) by name.
    """
    scores = op.cast(scores, to=np.float64)
    if isinstance(target, NumberTarget):
        return _numbers(scores, target, decision)
    probabilities = op.cast(_probabilities(scores, target, decision), to=np.float32)
    if isinstance(target, LabelsTarget):
        least = _const(decision.thresholds or 0.5, np.float32)
        return {LABELS: op.greater_or_equal(probabilities, least), PROBABILITIES: probabilities}
    label = op.gather(op.const(class_array(target.classes)), _best(probabilities, decision))
    return {LABEL: label, PROBABILITIES: probabilities}


def _best(probabilities: Var, decision: Decision) -> Var:
    if not decision.thresholds:
        return op.arg_max(probabilities, axis=1, keepdims=0)
    second = op.gather(probabilities, _const(1, np.int64), axis=1)
    return op.cast(op.greater_or_equal(second, _const(decision.thresholds[0], np.float32)), to=np.int64)


def _probabilities(scores: Var, target: ClassTarget | LabelsTarget, decision: Decision) -> Var:
    scaled = op.div(scores, _const(decision.temperature)) if decision.temperature != 1 else scores
    if not decision.curves:
        return op.sigmoid(scaled) if isinstance(target, LabelsTarget) else op.softmax(scaled, axis=1)
    odds = op.max([op.min([_log_odds(scaled, target), _const(ODDS_LIMIT)]), _const(-ODDS_LIMIT)])
    bent = op.transpose(bent_rows(decision.curves, op.transpose(odds)))
    if isinstance(target, LabelsTarget):
        return bent
    if target.problem == "binary":
        return op.concat([op.sub(_const(1.0), bent), bent], axis=1)
    return op.div(bent, _sum(bent))


def _log_odds(scores: Var, target: ClassTarget | LabelsTarget) -> Var:
    if isinstance(target, LabelsTarget):
        return scores
    if target.problem == "binary":
        first, second = (op.gather(scores, _const([place], np.int64), axis=1) for place in (0, 1))
        return op.sub(second, first)
    below = op.sub(scores, op.reduce_max(scores, _const([1], np.int64), keepdims=1))
    powers = op.exp(below)
    return op.sub(below, op.log(op.sub(_sum(powers), powers)))


def _numbers(scores: Var, target: NumberTarget, decision: Decision) -> dict[str, Var]:
    standardized = _ascending(scores, target.outputs)
    if decision.shifts:
        standardized = _ascending(op.add(standardized, _const(decision.shifts)), target.outputs)
    numbers = op.add(op.mul(standardized, _const(target.spread)), _const(target.center))
    if target.quantiles:
        return {QUANTILES: numbers}
    return {PREDICTION: op.squeeze(numbers, _const([1], np.int64))}


def _ascending(rows: Var, width: int) -> Var:
    if width == 1:
        return rows
    values, _ = op.top_k(rows, _const([width], np.int64), axis=1, largest=0)
    return values


def _sum(rows: Var) -> Var:
    return op.reduce_sum(rows, _const([1], np.int64), keepdims=1)


def _const(value: object, dtype: Any = np.float64) -> Var:
    return op.const(np.array(value, dtype))

"""A blend as one ONNX graph: the members' graphs inside, and the logarithm of their weighted mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v18 as op
from spox import Tensor, Var

from tasks.export.preprocessing_graph import BATCH
from tasks.models.blend import BlendPredictor
from tasks.preprocessing.targets import ClassTarget, LabelsTarget


def export_blend(
    predictor: BlendPredictor, members: Sequence[onnx.ModelProto], numeric: int, categorical: int
) -> onnx.ModelProto:
    """Join exported members; see `tasks.export.scores.export_scores`.

    Args:
        predictor: The blend.
        members: Its members, exported.
        numeric: Columns of the float32 matrix.
        categorical: Columns of the int64 matrix.
    """
    inputs = {
        "numeric": spox.argument(Tensor(np.float32, (BATCH, numeric))),
        "categorical": spox.argument(Tensor(np.int64, (BATCH, categorical))),
    }
    scores = []
    for member in members:
        used = {value.name: inputs[value.name] for value in member.graph.input}
        (score,) = spox.inline(member)(**used).values()
        scores.append(op.cast(op.unsqueeze(score, _const([0], np.int64)), to=np.float64))
    return spox.build(inputs, {"logits": op.cast(_mixed(op.concat(scores, axis=0), predictor), to=np.float32)})


def _mixed(scores: Var, predictor: BlendPredictor) -> Var:
    """Emit `tasks.models.blend.mix`: scores [M, batch, O] to [batch, O], in float64."""
    weights = predictor.weights[:, None, None]
    if isinstance(predictor.target, ClassTarget):
        return _log_mean(op.log_softmax(scores, axis=2), weights)
    if isinstance(predictor.target, LabelsTarget):
        holds, holds_not = (_log_mean(op.neg(op.softplus(each)), weights) for each in (op.neg(scores), scores))
        return op.sub(holds, holds_not)
    return op.reduce_sum(op.mul(scores, _const(weights)), _const([0], np.int64), keepdims=0)


def _log_mean(logarithms: Var, weights: np.ndarray[Any, np.dtype[Any]]) -> Var:
    return op.reduce_log_sum_exp(op.add(logarithms, _const(np.log(weights))), _const([0], np.int64), keepdims=0)


def _const(value: object, dtype: Any = np.float64) -> Var:
    return op.const(np.array(value, dtype))

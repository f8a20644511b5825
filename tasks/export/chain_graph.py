"""Imputation by chained equations as ONNX operators: `tasks.preprocessing.chained.predict_missing`, rounds unrolled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.preprocessing.constants import Chain, NumericFeature


def chained_rows(chain: Chain, features: Sequence[NumericFeature], settled: Var, missing: Var) -> Var:
    """Put what the chain predicts in the place of missing values.

    Args:
        chain: The fitted chain.
        features: Those of the rows.
        settled: Filled and clipped values, float64 [rows, batch].
        missing: Where they were missing, bool [rows, batch].

    Returns:
        float64 [rows, batch].
    """
    names = [feature.name if feature.kind == "number" else "" for feature in features]
    rows = [names.index(name) for name in chain.features]
    block = [features[row] for row in rows]
    center, spread = np.array(chain.center)[:, None], np.array(chain.spread)[:, None]
    values = op.gather(settled, op.const(np.array(rows, np.int64)), axis=0)
    gone = op.gather(missing, op.const(np.array(rows, np.int64)), axis=0)
    scaled = op.div(op.sub(values, op.const(center)), op.const(spread))
    bounds = [
        np.array([[(bound - center[i, 0]) / spread[i, 0]] for i, bound in enumerate(each)])
        for each in ([feature.lower for feature in block], [feature.upper for feature in block])
    ]
    masks = {target: op.and_(gone, op.const(_one(target, len(block)))) for target in chain.targets}
    for _ in range(chain.rounds):
        for target, weights, intercept in zip(chain.targets, chain.weights, chain.intercepts, strict=True):
            predicted = op.add(op.matmul(op.const(np.array([weights])), scaled), op.const(np.array([[intercept]])))
            low, high = (op.const(bound[target]) for bound in bounds)
            scaled = op.where(masks[target], op.min([op.max([predicted, low]), high]), scaled)
    found = op.add(op.mul(scaled, op.const(spread)), op.const(center))
    lower, upper = (op.const(np.array([[getattr(each, name)] for each in block])) for name in ("lower", "upper"))
    clipped = op.min([op.max([found, lower]), upper])
    chosen = op.const(np.array([[index in chain.targets] for index in range(len(block))]))
    updated = op.where(op.and_(gone, chosen), clipped, values)
    order = [len(features) + rows.index(row) if row in rows else row for row in range(len(features))]
    return op.gather(op.concat([settled, updated], axis=0), op.const(np.array(order, np.int64)), axis=0)


def _one(target: int, count: int) -> np.ndarray:
    return np.asarray(np.arange(count)[:, None] == target)

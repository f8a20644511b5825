"""The curves of scaling as ONNX operators: `tasks.preprocessing.scaling.apply_curve` for many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.preprocessing.constants import Curve


def bent_rows(curves: Sequence[Curve | None], values: Var) -> Var:
    """Apply each row's curve to it.

    Args:
        curves: One for each row; None leaves it as it is.
        values: float64 [rows, batch], finite.

    Returns:
        float64 [rows, batch].
    """
    kinds = [None if curve is None else curve.kind for curve in curves]
    if not any(kinds):
        return values
    emitters: dict[str | None, Callable[[Sequence[Curve], Var], Var]] = {
        None: lambda _, rows: rows,
        "log1p": lambda _, rows: op.log(op.add(rows, _const([1.0]))),
        "yeo-johnson": _yeo_johnson,
        "knots": _knots,
    }
    parts, order = [], []
    for kind, emit in emitters.items():
        rows = [index for index, found in enumerate(kinds) if found == kind]
        if rows:
            chosen = op.gather(values, op.const(np.array(rows, np.int64)), axis=0)
            parts.append(emit([curve for index in rows if (curve := curves[index]) is not None], chosen))
            order += rows
    joined = op.concat(parts, axis=0)
    return op.gather(joined, op.const(np.argsort(order).astype(np.int64)), axis=0)


def _const(values: object) -> Var:
    return op.const(np.array(values, np.float64))


def _yeo_johnson(curves: Sequence[Curve], rows: Var) -> Var:
    logs = op.log(op.add(op.abs(rows), _const([1.0])))
    powers = np.array([[curve.power] for curve in curves])
    negative = op.less(rows, _const([0.0]))
    return op.where(negative, op.neg(_power_of(logs, 2 - powers)), _power_of(logs, powers))


def _power_of(logs: Var, powers: np.ndarray) -> Var:
    zero = powers == 0
    divisor = _const(np.where(zero, 1.0, powers))
    bent = op.div(op.sub(op.exp(op.mul(logs, _const(powers))), _const([1.0])), divisor)
    return op.where(op.const(zero), logs, bent) if zero.any() else bent


def _knots(curves: Sequence[Curve], rows: Var) -> Var:
    """Add up the rise of every segment that lies before the value, and a share of the one that it lies in."""
    segments = max(len(curve.knots) for curve in curves) - 1
    starts, widths, rises = (np.zeros((len(curves), max(segments, 1), 1)) for _ in range(3))
    widths[:] = 1.0
    for index, curve in enumerate(curves):
        count = len(curve.knots) - 1
        starts[index, :count, 0] = curve.knots[:-1]
        widths[index, :count, 0] = np.diff(curve.knots)
        rises[index, :count, 0] = np.diff(curve.heights)
    spread = op.reshape(rows, op.const(np.array([len(curves), 1, -1], np.int64)))
    shares = op.div(op.sub(spread, _const(starts)), _const(widths))
    shares = op.min([op.max([shares, _const([0.0])]), _const([1.0])])
    risen = op.reduce_sum(op.mul(shares, _const(rises)), op.const(np.array([1], np.int64)), keepdims=0)
    return op.add(risen, _const([[curve.heights[0]] for curve in curves]))

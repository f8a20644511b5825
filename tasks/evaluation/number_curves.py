"""Figures for plots of predicted numbers and quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.metrics.weighted import Floats

_BARS = 41
_GROUPS = 10
# Beyond these the few largest errors would press all others into one bar.
_SHOWN = (0.5, 99.5)


def number_curves(target: Floats, predicted: Floats, points: int) -> dict[str, Any]:
    """Return what shows how a predicted number misses.

    Args:
        target: float64 `[N]`, the truth.
        predicted: float64 `[N]`.
        points: Most rows to show one by one.

    Returns:
        `scatter` (`predicted`, `true`: rows at even steps of the prediction, both ends among them), `residuals`
        (`edges`, `count`: of truth minus prediction, the outermost half percent on each side in the end bars) and
        `by_prediction` (`predicted`, and the residual's `low`, `middle`, `high`: its 5th, 50th and 95th percentile in
        tenths of the rows by prediction).
    """
    residual = target - predicted
    return {
        "scatter": _columns(_spread(predicted, points), predicted=predicted, true=target),
        "residuals": _histogram(residual),
        "by_prediction": _by_prediction(predicted, residual),
    }


def quantile_curves(target: Floats, predicted: Floats, quantiles: Sequence[float], points: int) -> dict[str, Any]:
    """Return what shows how predicted quantiles hold.

    Args:
        target: float64 `[N]`, the truth.
        predicted: float64 `[N, Q]`, ascending within a row.
        quantiles: Ascending, `Q` of them.
        points: Most rows to show one by one.

    Returns:
        `quantiles` (`asked`, `below`: the share of rows at or below each) and `scatter` (`predicted`: the quantile
        nearest the middle, `true`, `low`, `high`: the outermost quantiles).
    """
    middle = int(np.argmin(np.abs(np.array(quantiles) - 0.5)))
    chosen = _spread(predicted[:, middle], points)
    return {
        "quantiles": {
            "asked": [float(each) for each in quantiles],
            "below": (target[:, None] <= predicted).mean(axis=0).tolist(),
        },
        "scatter": _columns(
            chosen, predicted=predicted[:, middle], true=target, low=predicted[:, 0], high=predicted[:, -1]
        ),
    }


def _spread(along: Floats, points: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    order = np.argsort(along, kind="stable")
    steps = np.linspace(0, len(order) - 1, min(points, len(order)))
    return order[np.unique(np.rint(steps).astype(np.int64))]


def _columns(chosen: np.ndarray[Any, np.dtype[np.int64]], **columns: Floats) -> dict[str, list[float]]:
    return {name: column[chosen].tolist() for name, column in columns.items()}


def _histogram(residual: Floats) -> dict[str, list[float] | list[int]]:
    low, high = np.percentile(residual, _SHOWN)
    if low == high:
        low, high = low - 0.5, high + 0.5
    count, edges = np.histogram(np.clip(residual, low, high), bins=_BARS, range=(low, high))
    return {"edges": edges.tolist(), "count": count.tolist()}


def _by_prediction(predicted: Floats, residual: Floats) -> dict[str, list[float]]:
    parts = [part for part in np.array_split(np.argsort(predicted, kind="stable"), _GROUPS) if len(part)]
    spread = np.array([np.percentile(residual[part], [5, 50, 95]) for part in parts])
    means = [float(predicted[part].mean()) for part in parts]
    return {
        "predicted": means,
        **{name: spread[:, place].tolist() for place, name in enumerate(("low", "middle", "high"))},
    }

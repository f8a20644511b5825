"""Metrics of numbers and of their quantiles, in the target's own unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.metrics.weighted import Floats, Measure, divided, weighted_mean, weighted_sum


def number_measures(target: Floats, predicted: Floats) -> tuple[Measure, ...]:
    """Return the metrics of numbers.

    The percentage error is relative to the truth, 0.1 for ten percent. Rows whose truth is zero have none and are left
    out of it; `zero_targets` counts them.

    Args:
        target: float64 `[N]`, the truth.
        predicted: float64 `[N]`.
    """
    error = predicted - target
    # Squares of what is far from zero would lose the digits that R² is about.
    centered = target - target.mean()
    nonzero = target != 0
    relative = np.abs(np.divide(error, target, out=np.zeros_like(error), where=nonzero))

    def squares(weights: Floats) -> dict[str, Floats]:
        total = weights.sum(axis=1)
        residual = weighted_sum(weights, error**2)
        spread = weighted_sum(weights, centered**2) - weighted_sum(weights, centered) ** 2 / total
        return {"rmse": np.sqrt(residual / total), "r2": 1 - divided(residual, spread)}

    return (
        Measure(("rmse", "r2"), squares),
        Measure(("mae",), lambda weights: {"mae": weighted_mean(weights, np.abs(error))}),
        Measure(
            ("mape",),
            lambda weights: {"mape": divided(weighted_sum(weights, relative), weighted_sum(weights, nonzero))},
        ),
    )


def zero_targets(target: Floats) -> int:
    """Count the rows that have no percentage error."""
    return int(np.count_nonzero(target == 0))


def quantile_measures(target: Floats, predicted: Floats, quantiles: Sequence[float]) -> tuple[Measure, ...]:
    """Return the metrics of quantiles.

    The pinball loss is the mean over the quantiles. Coverage is the share of rows from the lowest to the highest
    quantile, both included; a single quantile has none.

    Args:
        target: float64 `[N]`, the truth.
        predicted: float64 `[N, Q]`, ascending within a row.
        quantiles: Ascending, `Q` of them.
    """
    loss = pinball(target, predicted, quantiles).mean(axis=1)
    pinball_measure = Measure(("pinball",), lambda weights: {"pinball": weighted_mean(weights, loss)})
    if len(quantiles) == 1:
        return (pinball_measure,)
    within = (predicted[:, 0] <= target) & (target <= predicted[:, -1])
    asked = quantiles[-1] - quantiles[0]

    def cover(weights: Floats) -> dict[str, Floats]:
        coverage = weighted_mean(weights, within)
        return {"coverage": coverage, "coverage_gap": np.abs(coverage - asked)}

    return pinball_measure, Measure(("coverage", "coverage_gap"), cover)


def pinball(target: Floats, predicted: Floats, quantiles: Sequence[float]) -> Floats:
    """Return each row's pinball loss at each quantile, float64 `[N, Q]` (Koenker and Bassett, 1978)."""
    below = target[:, None] - predicted
    asked = np.array(quantiles)
    return np.maximum(asked * below, (asked - 1) * below)


def per_quantile(target: Floats, predicted: Floats, quantiles: Sequence[float]) -> list[dict[str, Any]]:
    """Return for each quantile `quantile`, its `pinball` loss, and `below`: the share of rows at or below it."""
    losses = pinball(target, predicted, quantiles).mean(axis=0)
    below = (target[:, None] <= predicted).mean(axis=0)
    return [
        {"quantile": float(asked), "pinball": float(loss), "below": float(share)}
        for asked, loss, share in zip(quantiles, losses, below, strict=True)
    ]

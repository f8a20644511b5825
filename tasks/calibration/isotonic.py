"""Isotonic calibration as a short piecewise-linear curve from log odds to probability.

Scikit-learn's isotonic regression gives steps. Each step becomes one point, at the mean of its rows' log odds, with
straight lines between: Oron and Flournoy, "Centered Isotonic Regression", Statistics in Biopharmaceutical Research,
2017, arxiv.org/abs/1701.05964. So the curve ascends strictly between its ends and few records share a probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.calibration.truth import Booleans, Floats
from tasks.preprocessing.constants import Curve
from tasks.preprocessing.scaling import apply_curve

MOST_KNOTS = 50
# Rows that hold, and rows that do not, of which each curve needs so many; and so many in all.
LEAST_OF_EACH, LEAST_ROWS = 30, 300


@dataclass(frozen=True)
class FittedCurve:
    """A curve and the largest difference, over the validation rows, that thinning it made."""

    curve: Curve
    thinning_error: float


def fit_curve(odds: Floats, holds: Booleans) -> FittedCurve:
    """Fit one ascending curve of at most `MOST_KNOTS` points.

    Heights stay half a row of all rows away from 0 and 1, so that no single later row costs an infinite log loss.

    Args:
        odds: float64 `[N]`, log odds.
        holds: bool `[N]`.
    """
    steps = _steps(odds, holds)
    whole = _curve(steps)
    thinned = _curve(_thinned(steps, _steepest(odds)))
    error = np.abs(apply_curve(whole, odds) - apply_curve(thinned, odds)).max()
    return FittedCurve(thinned, float(f"{error:.3g}"))


def _steps(odds: Floats, holds: Booleans) -> Floats:
    """Return the steps of the isotonic regression, float64 `[steps, 3]`: rows, mean log odds, height."""
    from sklearn.isotonic import isotonic_regression  # noqa: PLC0415 - a second to import, and only this needs it

    values, place, rows = np.unique(odds, return_inverse=True, return_counts=True)
    shares = np.bincount(place, weights=holds) / rows
    margin = 0.5 / len(odds)
    heights = isotonic_regression(shares, sample_weight=rows.astype(np.float64), y_min=margin, y_max=1 - margin)
    step = np.append(0, np.cumsum(np.diff(heights) > 0))
    weights = np.bincount(step, weights=rows)
    centers = np.bincount(step, weights=rows * values) / weights
    return np.stack([weights, centers, heights[np.append(True, np.diff(heights) > 0)]], axis=1)


def _thinned(steps: Floats, steepest: float) -> Floats:
    """Pool neighbours until the curve is flat enough everywhere and has few enough points."""
    while len(steps) > 1:
        rises = np.diff(steps[:, 2])
        slopes = rises / np.diff(steps[:, 1])
        if slopes.max() > steepest:
            pooled = int(slopes.argmax())
        elif len(steps) > MOST_KNOTS:
            pooled = int(rises.argmin())
        else:
            break
        steps = _pooled(steps, pooled)
    return steps


def _pooled(steps: Floats, first: int) -> Floats:
    pair = steps[first : first + 2]
    weight = pair[:, 0].sum()
    one = [weight, *(pair[:, 0] @ pair[:, 1:] / weight)]
    return np.concatenate([steps[:first], [one], steps[first + 2 :]])


def _steepest(odds: Floats) -> float:
    """Return the steepest slope: four times that of a calibrated model's middle, or more where scores lie close.

    Training path and serving graph differ in the last bits of a score, and a slope multiplies them.
    """
    return 1 / min(1.0, max(float(odds.std()), 1e-3))


def _curve(steps: Floats) -> Curve:
    return Curve(kind="knots", knots=tuple(steps[:, 1].tolist()), heights=tuple(steps[:, 2].tolist()))

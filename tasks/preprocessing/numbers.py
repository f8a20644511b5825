"""One numeric feature from raw numbers: outliers, missing values, scale. The graph repeats this arithmetic exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.preprocessing.constants import NumericFeature
from tasks.preprocessing.scaling import apply_curve

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def missing_of(feature: NumericFeature, x: Floats) -> Bools:
    """Return where a raw value is missing, bool [N]: NaN, or outside the bounds where that counts as missing."""
    missing = np.isnan(x)
    return missing | outside(feature, x) if feature.outside == "null" else missing


def outside(feature: NumericFeature, x: Floats) -> Bools:
    """Return where a raw value is beyond the bounds, bool [N]; a missing one is not."""
    return (x < feature.lower) | (x > feature.upper)


def settled(
    feature: NumericFeature, x: Floats, predicted: Floats | None = None, out: Floats | None = None
) -> tuple[Floats, Bools]:
    """Fill what is missing and clip the rest.

    Args:
        feature: Of kind `number`.
        x: Raw values, float64 [N], NaN for null; they stay as they are.
        predicted: What stands in for missing values in place of the feature's `fill`, float64 [N].
        out: Where the result goes, float64 [N]; memory that is used again is faster than new memory.

    Returns:
        Finite float64 [N], and where the value was missing, bool [N].
    """
    missing = missing_of(feature, x)
    clipped = np.clip(x, feature.lower, feature.upper, out=out)
    fill = np.clip(feature.fill if predicted is None else predicted, feature.lower, feature.upper)
    np.copyto(clipped, fill, where=missing)
    return clipped, missing


def finished(feature: NumericFeature, clipped: Floats) -> NDArray[np.float32]:
    """Bring settled values to scale: float64 until one rounding to float32 [N]. Overwrites its argument."""
    bent = apply_curve(feature.curve, clipped)
    np.subtract(bent, feature.center, out=bent)
    np.divide(bent, feature.spread, out=bent)
    return bent.astype(np.float32)

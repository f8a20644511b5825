"""How numeric columns are brought to scale: fitted curves and centres, and the curves in numpy."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tasks.errors import TrainingError
from tasks.preprocessing.config import ScaleConfig
from tasks.preprocessing.constants import Curve
from tasks.preprocessing.sketch import Distribution

Floats = NDArray[np.float64]

# Beyond these powers the transform of ordinary columns leaves float64; within them the likelihood has one maximum.
_POWERS = (-4.0, 6.0)
_GOLDEN = (math.sqrt(5) - 1) / 2
_NARROWINGS = 48


def fit_curve(name: str, config: ScaleConfig, values: Distribution) -> Curve | None:
    """Return the function to apply before centring, if the method has one.

    Args:
        name: The feature's, for the message.
        config: The method.
        values: The training values after outliers and missing ones were dealt with.

    Raises:
        TrainingError: `log1p` on values of -1 or less.
    """
    match config.method:
        case "log1p":
            if values.values[0] <= -1:
                raise TrainingError(
                    f"feature {name}: scale log1p is the logarithm of 1 + x, but training has "
                    f"{float(values.values[0])!r}; expected more than -1\n"
                    "  do: take `scale: yeo-johnson`, which bears any sign, or `quantile`"
                )
            return Curve(kind="log1p")
        case "yeo-johnson":
            return Curve(kind="yeo-johnson", power=_likeliest_power(values))
        case "quantile":
            return _rank_curve(config, values)
        case _:
            return None


def fit_center_and_spread(config: ScaleConfig, values: Distribution) -> tuple[float, float]:
    """Return what is subtracted and what is divided by, of values that already went through the curve.

    Where the quartiles of `robust` coincide, the standard deviation stands in for their distance.
    """
    least, greatest = float(values.values[0]), float(values.values[-1])
    match config.method:
        case "none" | "quantile":
            return 0.0, 1.0
        case "min-max":
            return least, greatest - least
        case "max-abs":
            return 0.0, max(abs(least), abs(greatest))
        case "robust":
            low, middle, high = values.interpolated([0.25, 0.5, 0.75]).tolist()
            return middle, (high - low) or mean_and_std(values)[1]
        case _:
            return mean_and_std(values)


def mean_and_std(values: Distribution) -> tuple[float, float]:
    """Return mean and standard deviation of the population; not finite where the values are too far apart."""
    shares = values.counts / values.counts.sum()
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float((values.values * shares).sum())
        return mean, math.sqrt(float((np.square(values.values - mean) * shares).sum()))


def apply_curve(curve: Curve | None, x: Floats) -> Floats:
    """Apply a curve to finite numbers, float64 [N].

    The logarithm is that of `1 + x`, not the more exact `log1p`, because ONNX has only the former.
    """
    if curve is None:
        return x
    if curve.kind == "knots":
        return np.interp(x, curve.knots, curve.heights)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if curve.kind == "log1p":
            return np.log(1 + x)
        logs = np.log(1 + np.abs(x))
        return np.where(x < 0, -_power_of(logs, 2 - curve.power), _power_of(logs, curve.power))


def _power_of(logs: Floats, power: float) -> Floats:
    return logs if power == 0 else (np.exp(power * logs) - 1) / power


def _likeliest_power(values: Distribution) -> float:
    """Maximise the profile likelihood of Yeo and Johnson (2000) by golden-section search."""
    shares = values.counts / values.counts.sum()
    slope = float((np.sign(values.values) * np.log1p(np.abs(values.values)) * shares).sum())

    def loss(power: float) -> float:
        bent = apply_curve(Curve(kind="yeo-johnson", power=power), values.values)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = (bent * shares).sum()
            variance = float((np.square(bent - mean) * shares).sum())
        return 0.5 * math.log(variance) - (power - 1) * slope if 0 < variance < math.inf else math.inf

    low, high = _POWERS
    for _ in range(_NARROWINGS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    # A power next to 0 or 2 loses all digits in (e^(p log) - 1) / p, and is those powers' logarithm but for a trifle.
    power = (low + high) / 2
    return next((float(whole) for whole in (0, 2) if abs(power - whole) < 1e-6), power)


def _rank_curve(config: ScaleConfig, values: Distribution) -> Curve:
    """Lay a curve through training quantiles; a value's height is the middle of its ranks, as a share of the rows."""
    cumulative = np.cumsum(values.counts)
    middles = (cumulative - 0.5 * values.counts) / cumulative[-1]
    wanted = np.linspace(middles[0], middles[-1], config.knots)
    chosen = np.unique(np.searchsorted(middles, wanted, side="left").clip(0, len(middles) - 1))
    heights = middles[chosen]
    if config.to == "normal":
        heights = np.array([NormalDist().inv_cdf(float(height)) for height in heights])
    return Curve(kind="knots", knots=tuple(values.values[chosen].tolist()), heights=tuple(heights.tolist()))

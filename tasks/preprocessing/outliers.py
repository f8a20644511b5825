"""Outliers of one column: the bounds beyond which a value is one, and the training values once they are dealt with."""

from __future__ import annotations

import numpy as np

from data_contracts.contract import Column
from tasks.preprocessing.config import OutlierConfig
from tasks.preprocessing.sketch import Distribution
from tasks.preprocessing.statistics import NumericSummary

# Makes the median absolute deviation of a normal column its standard deviation.
_NORMAL_MAD = 1.4826
_LOWER_KEYS, _UPPER_KEYS = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")


def contract_bounds(column: Column) -> tuple[float | None, float | None]:
    """Return the least and greatest value that the contract allows, None where it sets no bound."""
    found = [
        next((float(column.options[key]) for key in keys if column.options.get(key) is not None), None)
        for keys in (_LOWER_KEYS, _UPPER_KEYS)
    ]
    return found[0], found[1]


def outlier_bounds(config: OutlierConfig, summary: NumericSummary, column: Column) -> tuple[float, float]:
    """Return the least and the greatest value that is no outlier.

    Bounds that would leave a single value say nothing about the column; then they are the whole training range.

    Args:
        config: The method.
        summary: Of the training values, at least two different ones.
        column: The contract's column, for method `contract`.
    """
    least, greatest, values = summary.moments.minimum, summary.moments.maximum, summary.distribution
    match config.method:
        case "quantile":
            inner = values.quantiles(config.limits).tolist()
            lower = least if config.limits[0] == 0 else inner[0]
            upper = greatest if config.limits[1] == 1 else inner[1]
        case "range":
            lower, upper = config.limits
        case "contract":
            low, high = contract_bounds(column)
            lower, upper = least if low is None else low, greatest if high is None else high
        case _:
            lower, upper = _spread_bounds(config, summary)
    sound = lower < upper and np.isfinite([lower, upper]).all()
    return (lower, upper) if sound else (least, greatest)


def _spread_bounds(config: OutlierConfig, summary: NumericSummary) -> tuple[float, float]:
    values = summary.distribution
    with np.errstate(over="ignore", invalid="ignore"):
        if config.method == "iqr":
            low, high = values.interpolated([0.25, 0.75]).tolist()
            return low - config.times * (high - low), high + config.times * (high - low)
        if config.method == "zscore":
            middle, unit = summary.moments.mean, summary.moments.std
        else:
            middle = values.median
            unit = _NORMAL_MAD * Distribution.counted(np.abs(values.values - middle), values.counts).median
        return middle - config.times * unit, middle + config.times * unit


def treated(config: OutlierConfig, values: Distribution, bounds: tuple[float, float]) -> Distribution:
    """Return the values that training keeps: clipped, without those outside, or as they are (`flag`).

    May be empty, if all of them lie outside.
    """
    if config.action == "flag":
        return values
    if config.action == "clip":
        return Distribution.counted(np.clip(values.values, *bounds), values.counts, values.error)
    inside = (values.values >= bounds[0]) & (values.values <= bounds[1])
    return Distribution(values.values[inside], values.counts[inside], values.error)

"""Metrics as functions of row weights.

A metric of a resample, of a slice or of the whole is the same metric of the same rows with other weights. So each is
written once, for many weightings at a time: a bootstrap costs a few passes over the rows, and no sorting.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Measure:
    """Metrics that share their work.

    Attributes:
        names: The metrics.
        of: Takes weights float64 `[B, N]`, none negative, and returns each metric as float64 `[B]`, NaN where it is
            undefined for a weighting.
    """

    names: tuple[str, ...]
    of: Callable[[Floats], Mapping[str, Floats]]


def measured(measures: Iterable[Measure], weights: Floats, wanted: Collection[str] | None = None) -> dict[str, Floats]:
    """Measure under many weightings.

    Args:
        measures: What to measure.
        weights: float64 `[B, N]`; a row of weights need not have any sum, only one above zero.
        wanted: Names to return; all by default. What none of them needs is not computed.
    """
    found: dict[str, Floats] = {}
    for measure in measures:
        names = measure.names if wanted is None else [name for name in measure.names if name in wanted]
        if names:
            values = measure.of(weights)
            found |= {name: values[name] for name in names}
    return found


def values(measures: Iterable[Measure], rows: int) -> dict[str, float]:
    """Measure all rows alike; what is undefined is left out."""
    found = measured(measures, np.ones((1, rows)))
    return {name: float(each[0]) for name, each in found.items() if np.isfinite(each[0])}


def weighted_sum(weights: Floats, each: NDArray[Any]) -> Floats:
    """Return the weighted sums `[B]` of a number for each row `[N]`.

    The order of the additions is fixed: a matrix product's depends on how many threads it gets.
    """
    return np.asarray(np.einsum("bn,n->b", weights, each.astype(np.float64)))


def weighted_mean(weights: Floats, each: NDArray[Any]) -> Floats:
    """Return the weighted means `[B]` of a number for each row `[N]`."""
    return divided(weighted_sum(weights, each), weights.sum(axis=1))


def sums_by(weights: Floats, place: Integers, places: int, each: NDArray[Any] | None = None) -> Floats:
    """Return sums by place.

    Args:
        weights: float64 `[B, N]`.
        place: int64 `[N]` in `[0, places)`.
        places: How many places there are.
        each: A number for each row, `[N]`; 1 by default.

    Returns:
        float64 `[B, places]`.
    """
    summed = weights if each is None else weights * each
    return np.stack([np.bincount(place, weights=one, minlength=places) for one in summed])


def divided(part: Floats, whole: Floats, otherwise: float = np.nan) -> Floats:
    """Divide, and take another value where the whole is zero."""
    result = np.full(np.broadcast_shapes(part.shape, whole.shape), otherwise)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def mean_of_defined(columns: Floats) -> Floats:
    """Return the mean of each row's finite values, float64 `[B]`, NaN where there is none."""
    finite = np.isfinite(columns)
    return divided(np.where(finite, columns, 0.0).sum(axis=1), finite.sum(axis=1).astype(np.float64))

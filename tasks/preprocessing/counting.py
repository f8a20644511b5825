"""How often each value of a column occurs, counted as the values allow: by place, by sorting or by hashing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

# Rows, evenly spread, that tell how a column is counted the fastest.
_PROBES = 4_096
# Every so many of them show whether a step may fit; if one does, all rows are held against it.
_FEW = 16
_MOST_DISTINCT = 0.9
# Steps of which measured values are often whole multiples, as numerator and denominator: days, minutes and seconds of
# instants, whole numbers, decimals.
_STEPS = ((86_400_000_000, 1), (60_000_000, 1), (1_000_000, 1), (1, 1), (1, 100), (1, 10_000))
_PLACES_PER_ROW = 8


def count_values(values: Floats) -> tuple[Floats, Counts]:
    """Return the distinct finite values of a float64 array [N], ascending, and how often each occurs."""
    probes = np.ascontiguousarray(values[:: max(1, len(values) // _PROBES)])
    with np.errstate(over="ignore", invalid="ignore"):
        for step in _STEPS:
            if _nearest(probes[::_FEW], step)[1] and (found := _counted_on_grid(values, step)) is not None:
                return found
    if len(pa.array(probes).unique()) > _MOST_DISTINCT * _PROBES:
        return _counted_by_sorting(values)
    counted = pa.array(values).value_counts()
    distinct = counted.field("values").to_numpy(zero_copy_only=False)
    finite = np.isfinite(distinct)
    return joined(distinct[finite], counted.field("counts").to_numpy()[finite])


def joined(values: Floats, counts: Counts) -> tuple[Floats, Counts]:
    """Return finite values in any order, each with its count, as distinct ascending ones with the sums of theirs."""
    order = np.argsort(values, kind="stable")
    ascending, numbers = values[order] + 0.0, counts[order]
    if not len(ascending):
        return ascending, numbers
    starts = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    return ascending[starts], np.add.reduceat(numbers, starts)


def _nearest(values: Floats, step: tuple[int, int]) -> tuple[Floats, bool]:
    """Return which multiple of a step is the nearest to each value, and whether all but NaN are exactly that."""
    up, down = step
    if up == down:
        places = np.rint(values)
        exact = np.count_nonzero(places == values)
    else:
        places = values * (down / up)
        np.rint(places, out=places)
        exact = np.count_nonzero((places * up if down == 1 else places / down) == values)
    return places, exact == len(values) or exact == len(values) - np.count_nonzero(np.isnan(values))


def _counted_on_grid(values: Floats, step: tuple[int, int]) -> tuple[Floats, Counts] | None:
    """Count values by their place among the multiples of a step; None if one is none, or they lie too far apart."""
    places, exact = _nearest(values, step)
    if not exact:
        return None
    least, greatest = np.fmin.reduce(places, initial=np.inf), np.fmax.reduce(places, initial=-np.inf)
    width = greatest - least
    if not 0 <= width < _PLACES_PER_ROW * len(values):
        return None
    beyond = int(width) + 1
    places -= least
    np.copyto(places, beyond, where=np.isnan(places))
    counts = np.bincount(places.astype(np.int64), minlength=beyond + 1)[:beyond]
    found = np.flatnonzero(counts > 0)
    up, down = step
    multiples = found + least
    return (multiples * up if down == 1 else multiples / down), counts[found]


def _counted_by_sorting(values: Floats) -> tuple[Floats, Counts]:
    ascending = np.sort(values)
    # Infinities stand at the ends, and NaN behind them.
    first, last = np.searchsorted(ascending, -np.inf, side="right"), np.searchsorted(ascending, np.inf)
    ascending = ascending[first:last] + 0.0
    ends = np.append(np.flatnonzero(ascending[1:] != ascending[:-1]), len(ascending) - 1)[: len(ascending)]
    return (ascending if len(ends) == len(ascending) else ascending[ends]), np.diff(ends, prepend=-1)

"""The bins of a distribution: how many rows lie between edges that no value lies on, to hold other rows against."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.preprocessing.counting import Floats
from tasks.preprocessing.sketch import Distribution

# Bins of equal share, finer at the ends, where the values allow it; a value that repeats makes fewer.
_ENDS = (0.001, 0.002, 0.005)
_PROBABILITIES = (*_ENDS, *(step / 100 for step in range(1, 100)), *(1 - end for end in reversed(_ENDS)))
# A value with so large a share has a bin of its own.
_ATOM = 0.01
_ROUNDING = 1e-6


def describe_bins(distribution: Distribution) -> dict[str, Any]:
    """Count the rows of a few hundred bins at most.

    An edge lies halfway between two values that occurred, or close to one that repeats, so that what moved away from
    it is seen; but never so close that rounding moves a row over it (a number that travelled as float32, a network that
    ran elsewhere).

    Args:
        distribution: Of at least one row.

    Returns:
        `edges`, ascending, and `counts`, one more: the rows up to the first edge, up to the second, ..., above the
        last. Counts are exact to `distribution.error` rows.
    """
    values = distribution.values
    atoms = distribution.counts >= _ATOM * distribution.rows
    own = np.flatnonzero(atoms)
    cuts = np.unique(np.concatenate([np.searchsorted(values, distribution.quantiles(_PROBABILITIES)), own, own - 1]))
    cuts = cuts[(cuts >= 0) & (cuts < len(values) - 1)]
    edges = _edges(values, atoms, cuts)
    counts = np.bincount(np.searchsorted(edges, values), distribution.counts, len(edges) + 1).astype(np.int64)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _edges(values: Floats, atoms: np.ndarray[Any, np.dtype[np.bool_]], cuts: np.ndarray[Any, Any]) -> Floats:
    below, above = values[cuts], values[cuts + 1]
    # Quarters first: two values may be as far apart as float64 reaches.
    quarter = above / 4 - below / 4
    near = np.minimum(quarter, _ROUNDING * np.maximum(np.abs(values).max(), np.maximum(np.abs(below), np.abs(above))))
    halfway = below / 2 + above / 2
    either = atoms[cuts] | atoms[cuts + 1]
    wanted = [(below + near)[atoms[cuts]], (above - near)[atoms[cuts + 1]], halfway[~either]]
    limits = [above[atoms[cuts]], above[atoms[cuts + 1]], above[~either]]
    lows = [below[atoms[cuts]], below[atoms[cuts + 1]], below[~either]]
    edge, limit, low = (np.concatenate(each) for each in (wanted, limits, lows))
    # Neighbours among float64 have nothing between them; the lower one then is the edge.
    return np.unique(np.where((edge >= low) & (edge < limit), edge, low))

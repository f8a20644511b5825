"""The distribution of a series, before and now, in few enough parts to be drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.drift.comparisons import joined, pooled
from tasks.drift.counting import SeriesCounts
from tasks.drift.expected import Series
from tasks.drift.report import Share

_MOST_CATEGORIES = 10


def shares_of(series: Series, counts: SeriesCounts) -> tuple[Share, ...]:
    """Return the shares of a series' values in the reference and in the served rows; none where either is empty."""
    served = counts.cells.sum(axis=0)
    if len(series.counts) < 2 or not series.counts.sum() or not served.sum():
        return ()
    names, groups = _numbers(series) if series.kind == "number" else _categories(series, counts)
    before, now = joined(series.counts, groups), joined(served, groups)
    return tuple(
        Share(values=name, reference=float(old), served=float(new))
        for name, old, new in zip(names, before / before.sum(), now / now.sum(), strict=True)
    )


def _numbers(series: Series) -> tuple[list[str], NDArray[np.int64]]:
    """Return names and groups of about a tenth of the reference each."""
    groups = pooled(series.counts, 0, ordered=True)
    ends = np.flatnonzero(np.diff(groups)).tolist()
    bounds = [f"{series.edges[end]:.4g}" for end in ends]
    return [*(f"up to {bound}" for bound in bounds), f"above {bounds[-1]}" if bounds else "all"], groups


def _categories(series: Series, counts: SeriesCounts) -> tuple[list[str], NDArray[np.int64]]:
    """Return names and groups: the values that are commonest in one of the two, and all others together."""
    served = counts.cells.sum(axis=0)
    weight = series.counts / series.counts.sum() + served / served.sum()
    named = len(series.values)
    order = np.argsort(-weight[:named], kind="stable")[:_MOST_CATEGORIES]
    groups = np.full(len(series.counts), len(order), np.int64)
    groups[order] = np.arange(len(order))
    return [*(series.values[place] for place in order), "others"], groups

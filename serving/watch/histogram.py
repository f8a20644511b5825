"""Histograms of fixed buckets: a value costs one search and two additions, and histograms of workers add up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

_STEPS = ("1", "1.25", "1.5", "2", "2.5", "3", "4", "5", "6", "8")
# Upper bounds of latencies, 10 us to 80 s; a quantile is off by a step at most, which is a third of the value.
SECONDS = tuple(float(f"{step}e{power}") for power in range(-5, 2) for step in _STEPS)
# Upper bounds of counts: rows of a batch, requests that waited together.
COUNTS = tuple(float(1 << power) for power in range(17))


class Histogram:
    """Counts of values by bucket.

    Attributes:
        bounds: Upper bounds of the buckets, inclusive, ascending; one more bucket holds what is beyond the last.
        counts: One number per bucket.
        total: The sum of the values.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """Return the value that a share of the values does not exceed, by linear interpolation inside its bucket.

    Args:
        bounds: Of the buckets.
        counts: One number per bucket and one for what is beyond the last bound, for which that bound is returned.
        share: From 0 to 1.

    Returns:
        The value, in the unit of the bounds; None of no values.
    """
    sums = list(accumulate(counts))
    if not sums[-1]:
        return None
    wanted = share * sums[-1]
    place = bisect_left(sums, wanted) if wanted > 0 else next(i for i, count in enumerate(counts) if count)
    if place == len(bounds):
        return bounds[-1]
    below = bounds[place - 1] if place else 0.0
    before = sums[place] - counts[place]
    return below + (bounds[place] - below) * (wanted - before) / counts[place]

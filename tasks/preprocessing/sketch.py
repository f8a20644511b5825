"""The distribution of a numeric column in bounded memory: exact while it fits, then a sketch of known error.

A distribution is a list of distinct values with their numbers of occurrences. When it grows past `MAX_POINTS` values it
is compacted: the line is cut at equally spaced ranks and every stretch is replaced by its weighted median. That is the
equally-spaced-ranks summary of Munro and Paterson (1980), merged as in Agarwal et al., "Mergeable Summaries" (2012).
The error is not estimated but counted: `error` bounds by how many rows any rank can be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.preprocessing.counting import Counts, Floats, count_values, joined

# Half a MiB a column; a compaction to half of it costs at most 1/32,768 of the rows in rank. A single partition gives
# fewer points, so that the first two merges are cheap and compact nothing: over a thousand partitions a tree of merges
# compacts eight times, which with the 1/16,384 at its leaves is 0.03 % in rank at worst.
MAX_POINTS = 32_768
LEAF_POINTS = 8_192


@dataclass(frozen=True)
class Distribution:
    """Values and how often each occurs.

    Attributes:
        values: float64 [P], ascending, distinct and finite.
        counts: int64 [P], positive.
        error: The most rows by which the rank of any value can be wrong; 0 when the distribution is exact.
    """

    values: Floats
    counts: Counts
    error: int = 0

    @classmethod
    def of(cls, values: Floats, max_points: int = MAX_POINTS) -> Distribution:
        """Count the finite values of a float64 array [N]; NaN and infinities take no part."""
        return cls(*count_values(values)).bounded(max_points)

    @classmethod
    def counted(cls, values: Floats, counts: Counts, error: int = 0) -> Distribution:
        """Return the distribution of finite values in any order, each with its count; equal ones are joined."""
        return cls(*joined(values, counts), error)

    @property
    def rows(self) -> int:
        """Number of values counted."""
        return int(self.counts.sum())

    def merge(self, later: Distribution, max_points: int = MAX_POINTS) -> Distribution:
        """Return the distribution of both sets of rows together; their errors add up."""
        error = self.error + later.error
        if np.array_equal(self.values, later.values):
            return Distribution(self.values, self.counts + later.counts, error).bounded(max_points)
        values = np.concatenate([self.values, later.values])
        counts = np.concatenate([self.counts, later.counts])
        return Distribution.counted(values, counts, error).bounded(max_points)

    def bounded(self, max_points: int, points: int | None = None) -> Distribution:
        """Return this distribution, compacted to `points` values (half of `max_points`) if it holds more."""
        if len(self.values) <= max_points:
            return self
        stretches = points or max(1, max_points // 2)
        before = np.cumsum(self.counts) - self.counts
        stretch = (before + self.counts // 2) * stretches // self.rows
        starts = np.flatnonzero(np.diff(stretch, prepend=-1) > 0)
        totals = np.add.reduceat(self.counts, starts)
        middle = np.searchsorted(before, before[starts] + (totals - 1) // 2, side="right") - 1
        below = before[middle] - before[starts]
        above = totals - below - self.counts[middle]
        added = int(np.maximum(below, above).max())
        return Distribution(self.values[middle], totals, self.error + added)

    def quantiles(self, probabilities: Sequence[float]) -> Floats:
        """Return the inverse of the cumulative distribution: for each p the least value with p of the rows at or below.

        Args:
            probabilities: Each in [0, 1]; the distribution holds at least one row.

        Returns:
            float64, one for each probability; always values that occurred.
        """
        cumulative = np.cumsum(self.counts)
        ranks = np.asarray(probabilities, dtype=np.float64) * cumulative[-1]
        # A product such as 0.7 * 10 may end a hair above the whole rank that is meant.
        nearest = np.rint(ranks)
        ranks = np.where(np.abs(ranks - nearest) < 1e-9 * cumulative[-1], nearest, np.ceil(ranks))
        return np.asarray(self.values[np.searchsorted(cumulative, np.maximum(ranks, 1), side="left")])

    def interpolated(self, probabilities: Sequence[float]) -> Floats:
        """Return quantiles linear between neighbouring rows, as numpy's method `linear`, which is R's type 7.

        Args:
            probabilities: Each in [0, 1]; the distribution holds at least one row.
        """
        cumulative = np.cumsum(self.counts)
        ranks = np.asarray(probabilities, dtype=np.float64) * (cumulative[-1] - 1)
        low = np.floor(ranks)
        share = ranks - low
        below = self.values[np.searchsorted(cumulative, low, side="right")]
        above = self.values[np.searchsorted(cumulative, np.minimum(low + 1, cumulative[-1] - 1), side="right")]
        # The two ends may be as far apart as float64 reaches, so neither their difference nor twice one is formed.
        return np.asarray(np.where(below == above, below, below * (1 - share) + above * share))

    @property
    def median(self) -> float:
        """The interpolated median."""
        return float(self.interpolated([0.5])[0])

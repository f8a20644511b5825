"""Mergeable statistics: computed for each partition, merged in order, finalised into the constants of preprocessing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.preprocessing.columns import Categories
from tasks.preprocessing.counting import count_values
from tasks.preprocessing.sketch import LEAF_POINTS, MAX_POINTS, Distribution

# A category beyond the most frequent ones is worth nothing to a vocabulary; the bound keeps an id column from filling
# the memory.
MAX_CATEGORIES = 65_536


@dataclass(frozen=True)
class Moments:
    """Count, extremes, mean and sum of squared deviations of the finite values of a column.

    One pass for each partition, then the pairwise update of Chan, Golub and LeVeque, "Updating Formulae and a Pairwise
    Algorithm for Computing Sample Variances" (1979), which Welford's (1962) is the case of one row of.

    Attributes:
        rows: All rows, nulls and infinities included.
        nulls: Rows that are null or NaN.
        count: Rows with a finite value; the others below describe these.
        m2: Sum of squared deviations from the mean.
    """

    rows: int
    nulls: int
    count: int
    mean: float
    m2: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Moments:
        """Measure a float64 array [N], NaN for null."""
        finite = values[np.isfinite(values)]
        nulls = int(np.isnan(values).sum())
        if not len(finite):
            return cls(len(values), nulls, 0, 0.0, 0.0, math.inf, -math.inf)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(finite.mean())
            m2 = float(np.square(finite - mean).sum())
        return cls(len(values), nulls, len(finite), mean, m2, float(finite.min()), float(finite.max()))

    @classmethod
    def counted(cls, values: NDArray[np.float64], counts: NDArray[np.int64], rows: int, nulls: int) -> Moments:
        """Measure distinct finite values that occur so many times each, among `rows` rows."""
        count = int(counts.sum())
        if not count:
            return cls(rows, nulls, 0, 0.0, 0.0, math.inf, -math.inf)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float((values * counts).sum() / count)
            m2 = float((np.square(values - mean) * counts).sum())
        return cls(rows, nulls, count, mean, m2, float(values.min()), float(values.max()))

    def merge(self, later: Moments) -> Moments:
        """Return the moments of both sets of rows together."""
        count = self.count + later.count
        mean, m2 = self.mean, self.m2
        if later.count:
            share = later.count / count
            delta = later.mean - self.mean
            mean = self.mean + delta * share if self.count else later.mean
            m2 = self.m2 + later.m2 + (delta * delta * self.count * share if self.count else 0.0)
        return Moments(
            rows=self.rows + later.rows,
            nulls=self.nulls + later.nulls,
            count=count,
            mean=mean,
            m2=m2,
            minimum=min(self.minimum, later.minimum),
            maximum=max(self.maximum, later.maximum),
        )

    @property
    def std(self) -> float:
        """Standard deviation of the population; 0 without a value."""
        return math.sqrt(self.m2 / self.count) if self.count else 0.0


@dataclass(frozen=True)
class NumericSummary:
    """What is known of a numeric column, or of one calendar part of a column of instants."""

    moments: Moments
    distribution: Distribution

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> NumericSummary:
        """Summarise a float64 array [N], NaN for null; each value is looked at once, to count the distinct ones."""
        distinct, counts = count_values(values)
        nulls = len(values) - int(counts.sum())
        if nulls:
            nulls = int(np.isnan(values).sum())
        moments = Moments.counted(distinct, counts, len(values), nulls)
        return cls(moments, Distribution(distinct, counts).bounded(MAX_POINTS, LEAF_POINTS))

    def merge(self, later: NumericSummary) -> NumericSummary:
        """Return the summary of both sets of rows together."""
        return NumericSummary(self.moments.merge(later.moments), self.distribution.merge(later.distribution))


@dataclass(frozen=True)
class CategorySummary:
    """How often each category occurs.

    Past `MAX_CATEGORIES` distinct values the rarest are pruned as in the frequent-items summary of Misra and Gries
    (1982), merged as in Agarwal et al. (2012): no kept count is too large, and none is too small by more than `missed`.

    Attributes:
        values: string [C], distinct, sorted by code point, without null and the empty string.
        counts: int64 [C].
        nulls: Rows that are null or the empty string.
        missed: The most occurrences of one category that pruning can have forgotten; 0 when the counts are exact.
    """

    rows: int
    nulls: int
    values: pa.Array
    counts: NDArray[np.int64]
    missed: int = 0

    @classmethod
    def of(cls, column: Categories, max_categories: int = MAX_CATEGORIES) -> CategorySummary:
        """Count the categories of a column."""
        counts = column.counts
        occurring = np.flatnonzero(counts[:-1])
        texts = column.values.take(pa.array(occurring)).cast(pa.string())
        values, joined = _joined(texts, counts[occurring])
        return cls(len(column.positions), int(counts[-1]), values, joined).bounded(max_categories)

    def merge(self, later: CategorySummary, max_categories: int = MAX_CATEGORIES) -> CategorySummary:
        """Return the counts of both sets of rows together."""
        if self.values.equals(later.values):
            values, counts = self.values, self.counts + later.counts
        else:
            both = pa.concat_arrays([self.values, later.values])
            values, counts = _joined(both, np.concatenate([self.counts, later.counts]))
        missed = self.missed + later.missed
        merged = CategorySummary(self.rows + later.rows, self.nulls + later.nulls, values, counts, missed)
        return merged.bounded(max_categories)

    def filled(self, fill: str | None) -> CategorySummary:
        """Return the counts with nulls counted as a value; unchanged for None."""
        if fill is None or not self.nulls:
            return self
        values, counts = _joined(
            pa.concat_arrays([self.values, pa.array([fill])]), np.append(self.counts, np.int64(self.nulls))
        )
        return CategorySummary(self.rows, 0, values, counts, self.missed)

    def bounded(self, max_categories: int) -> CategorySummary:
        """Return this summary, pruned if it holds more than `max_categories` values."""
        if len(self.values) <= max_categories:
            return self
        lost = int(np.partition(self.counts, -max_categories - 1)[-max_categories - 1])
        kept = self.counts > lost
        return CategorySummary(
            self.rows, self.nulls, self.values.filter(pa.array(kept)), self.counts[kept] - lost, self.missed + lost
        )


def _joined(values: pa.Array, counts: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return distinct texts sorted by code point, and the sum of the counts of each."""
    encoded = values.dictionary_encode()
    summed = np.zeros(len(encoded.dictionary), dtype=np.int64)
    np.add.at(summed, encoded.indices.to_numpy(), counts)
    order = pc.sort_indices(encoded.dictionary)
    return encoded.dictionary.take(order), summed[order.to_numpy()]


Summary = NumericSummary | CategorySummary
Summaries = Mapping[str, Summary]


def merge_summaries(earlier: Summaries, later: Summaries) -> Summaries:
    """Merge the summaries of two stretches of rows, name by name.

    Args:
        earlier: By name; the same names with the same kinds as `later`.
        later: Those of the rows that follow.
    """
    merged: dict[str, Summary] = {}
    for name, first in earlier.items():
        second = later[name]
        if isinstance(first, NumericSummary):
            assert isinstance(second, NumericSummary)
            merged[name] = first.merge(second)
        else:
            assert isinstance(second, CategorySummary)
            merged[name] = first.merge(second)
    return merged

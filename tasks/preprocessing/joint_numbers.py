"""Categories together with a target of numbers or labels, fold by fold: counts and sums for target encoding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.preprocessing.columns import Categories
from tasks.preprocessing.constants import CategoricalFeature
from tasks.preprocessing.joint import JointSummary, Tables, TargetMeans, codes_of_values, places_of
from tasks.preprocessing.statistics import MAX_CATEGORIES
from tasks.preprocessing.targets import NumberTarget, Target


@dataclass(frozen=True)
class NumberJoint:
    """How often each category occurs in each fold, and the sums of T numbers there.

    Attributes:
        values: string [V], distinct, sorted by code point; of more than `MAX_CATEGORIES` the most frequent.
        counts: int64 [V + 1, folds]; last the rows without a category.
        sums: float64 [V + 1, folds, T].
        other_counts: int64 [folds]: rows of categories that were let go.
        other_sums: float64 [folds, T].
    """

    values: pa.Array
    counts: NDArray[np.int64]
    sums: Tables
    other_counts: NDArray[np.int64]
    other_sums: Tables

    @classmethod
    def of(cls, column: Categories, numbers: Tables, fold: NDArray[np.uint64], folds: int) -> NumberJoint:
        """Count the rows of one partition; `numbers` is float64 [N, T], finite."""
        values, rows = places_of(column.values.cast(pa.string()))
        cells, size = rows[column.positions] * folds + fold.astype(np.int64), (len(values) + 1) * folds
        sums = [np.bincount(cells, weights=each, minlength=size) for each in numbers.T]
        return cls(
            values,
            np.bincount(cells, minlength=size).reshape(-1, folds),
            np.stack(sums, axis=1, dtype=np.float64).reshape(-1, folds, numbers.shape[1]),
            np.zeros(folds, dtype=np.int64),
            np.zeros((folds, numbers.shape[1])),
        ).bounded()

    def merge(self, later: NumberJoint) -> NumberJoint:
        """Return the counts and sums of both sets of rows together."""
        values, rows = places_of(pa.concat_arrays([self.values, later.values]))
        counts = np.zeros((len(values) + 1, self.counts.shape[1]), dtype=np.int64)
        sums = np.zeros((*counts.shape, self.sums.shape[2]))
        for part, row in ((self, rows[: len(self.values)]), (later, rows[len(self.values) : -1])):
            # No value stands twice in one part, so plain indexing adds up.
            places = np.append(row, len(values))
            counts[places] += part.counts
            sums[places] += part.sums
        others = self.other_counts + later.other_counts, self.other_sums + later.other_sums
        return NumberJoint(values, counts, sums, *others).bounded()

    def bounded(self, most: int = MAX_CATEGORIES) -> NumberJoint:
        """Return this summary, without its rarest categories if there are more than `most`."""
        if len(self.values) <= most:
            return self
        kept = np.sort(np.argsort(-self.counts[:-1].sum(axis=1), kind="stable")[:most])
        gone = np.setdiff1d(np.arange(len(self.values)), kept)
        rows = np.append(kept, len(self.values))
        return NumberJoint(
            self.values.take(pa.array(kept)),
            self.counts[rows],
            self.sums[rows],
            self.other_counts + self.counts[gone].sum(axis=0),
            self.other_sums + self.sums[gone].sum(axis=0),
        )

    def by_code(self, category: CategoricalFeature) -> tuple[NDArray[np.int64], Tables]:
        """Return counts int64 [codes, folds] and sums float64 [codes, folds, T] by code of the category."""
        codes = codes_of_values(self.values, category)
        counts = np.zeros((category.cardinality, self.counts.shape[1]), dtype=np.int64)
        sums = np.zeros((*counts.shape, self.sums.shape[2]))
        np.add.at(counts, codes, np.vstack([self.counts, self.other_counts]))
        np.add.at(sums, codes, np.concatenate([self.sums, self.other_sums[None]]))
        return counts, sums

    def means(self, category: CategoricalFeature, target: Target, smoothing: float) -> TargetMeans:
        """Return what a category is encoded as: the mean of each label, or of the standardized number."""
        counts, sums = self.by_code(category)
        total, all_sums = counts.sum(axis=1), sums.sum(axis=1)
        folds = [
            _smoothed(total - counts[:, fold], all_sums - sums[:, fold], smoothing, target)
            for fold in range(counts.shape[1])
        ]
        suffixes = ("",) if isinstance(target, NumberTarget) else tuple(f"_{name}" for name in target.columns)
        return TargetMeans(suffixes, total, _smoothed(total, all_sums, smoothing, target), folds)


Joint = JointSummary | NumberJoint


def joint_of(column: Categories, target: Categories | Tables, fold: NDArray[np.uint64], folds: int) -> Joint:
    """Count the rows of one partition by category and fold, with the classes or the numbers of the target.

    Args:
        column: The category.
        target: The classes, or float64 [N, T].
        fold: uint64 [N].
        folds: How many.
    """
    if isinstance(target, Categories):
        return JointSummary.of(column, target, fold, folds)
    return NumberJoint.of(column, target, fold, folds)


def merged(earlier: Joint, later: Joint) -> Joint:
    """Merge two of one kind."""
    if isinstance(earlier, JointSummary):
        assert isinstance(later, JointSummary)
        return earlier.merge(later)
    assert isinstance(later, NumberJoint)
    return earlier.merge(later)


def _smoothed(counts: NDArray[np.int64], sums: Tables, smoothing: float, target: Target) -> Tables:
    """Return each code's mean, drawn towards that of all rows, float64 [T, codes]."""
    prior = sums.sum(axis=0) / max(1, counts.sum())
    means = (sums + smoothing * prior) / (counts + smoothing)[:, None]
    if isinstance(target, NumberTarget):
        means = (means - target.center) / target.spread
    return np.ascontiguousarray(means.T)

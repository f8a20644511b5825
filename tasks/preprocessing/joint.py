"""Categories counted together with the target, fold by fold: what target encoding is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.preprocessing.columns import Categories
from tasks.preprocessing.constants import FIRST_CODE, UNSEEN, CategoricalFeature
from tasks.preprocessing.statistics import MAX_CATEGORIES
from tasks.preprocessing.targets import ClassTarget, Target

Tables = NDArray[np.float64]


@dataclass(frozen=True)
class TargetMeans:
    """A category as means of the target.

    Attributes:
        suffixes: Of the outputs' names.
        rows: int64 [codes], training rows of each code.
        values: float64 [outputs, codes].
        folds: The same without the rows of each fold.
    """

    suffixes: tuple[str, ...]
    rows: NDArray[np.int64]
    values: Tables
    folds: Sequence[Tables]


def folds_of(partition: int, rows: int, folds: int) -> NDArray[np.uint64]:
    """Return the fold of each row of a partition, uint64 [rows] below `folds`: a hash of the row's place alone.

    The hash is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
    """
    mixed = np.arange(rows, dtype=np.uint64) + np.uint64(partition << 32)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed ^ (mixed >> np.uint64(31))) % np.uint64(folds)


@dataclass(frozen=True)
class JointSummary:
    """How often each category goes with each class of the target, in each fold.

    Attributes:
        values: string [V], distinct, sorted by code point; of more than `MAX_CATEGORIES` the most frequent.
        classes: string [C], distinct, sorted by code point.
        counts: int64 [V + 1, folds, C]; last the rows without a category.
        others: int64 [folds, C]: rows of categories that were let go.
    """

    values: pa.Array
    classes: pa.Array
    counts: NDArray[np.int64]
    others: NDArray[np.int64]

    @classmethod
    def of(cls, column: Categories, target: Categories, fold: NDArray[np.uint64], folds: int) -> JointSummary:
        """Count the rows of one partition; rows without a target take no part."""
        values, rows = places_of(column.values.cast(pa.string()))
        classes, places = places_of(target.values.cast(pa.string()))
        shape = (len(values) + 1, folds, len(classes) + 1)
        cells = (rows[column.positions] * folds + fold.astype(np.int64)) * shape[2] + places[target.positions]
        counts = np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape)[:, :, :-1]
        return cls(values, classes, counts, np.zeros(counts.shape[1:], dtype=np.int64)).bounded()

    def merge(self, later: JointSummary) -> JointSummary:
        """Return the counts of both sets of rows together."""
        values, rows = places_of(pa.concat_arrays([self.values, later.values]))
        classes, places = places_of(pa.concat_arrays([self.classes, later.classes]))
        counts = np.zeros((len(values) + 1, self.counts.shape[1], len(classes)), dtype=np.int64)
        others = np.zeros(counts.shape[1:], dtype=np.int64)
        for part, row, place in (
            (self, rows[: len(self.values)], places[: len(self.classes)]),
            (later, rows[len(self.values) : -1], places[len(self.classes) : -1]),
        ):
            # No value stands twice in one part, so plain indexing adds up.
            counts[np.ix_(np.append(row, len(values)), np.arange(counts.shape[1]), place)] += part.counts
            others[:, place] += part.others
        return JointSummary(values, classes, counts, others).bounded()

    def bounded(self, most: int = MAX_CATEGORIES) -> JointSummary:
        """Return this summary, without its rarest categories if there are more than `most`."""
        if len(self.values) <= most:
            return self
        kept = np.sort(np.argsort(-self.counts[:-1].sum(axis=(1, 2)), kind="stable")[:most])
        gone = np.setdiff1d(np.arange(len(self.values)), kept)
        counts = self.counts[np.append(kept, len(self.values))]
        others = self.others + self.counts[gone].sum(axis=0)
        return JointSummary(self.values.take(pa.array(kept)), self.classes, counts, others)

    def by_code(self, category: CategoricalFeature, target: ClassTarget) -> NDArray[np.int64]:
        """Return the counts by code of the category, fold and class in the target's order: int64 [codes, folds, C]."""
        texts = [text if isinstance(text, str) else str(int(text)) for text in target.classes]
        order = pc.index_in(pa.array(texts, pa.string()), value_set=self.classes).to_numpy()
        counts = self.counts[:, :, order]
        joined = np.zeros((category.cardinality, *counts.shape[1:]), dtype=np.int64)
        np.add.at(joined, codes_of_values(self.values, category), np.concatenate([counts, self.others[None, :, order]]))
        return joined

    def means(self, category: CategoricalFeature, target: Target, smoothing: float) -> TargetMeans:
        """Return what a category is encoded as: the share of each class but the first."""
        assert isinstance(target, ClassTarget), target.problem
        counts = self.by_code(category, target)
        values = smoothed_means(counts.sum(axis=1), smoothing)
        suffixes = ("",) if len(values) == 1 else tuple(f"_{each}" for each in target.classes[1:])
        return TargetMeans(suffixes, counts.sum(axis=(1, 2)), values, out_of_fold_means(counts, smoothing))


def codes_of_values(values: pa.Array, category: CategoricalFeature) -> NDArray[np.int64]:
    """Return the code of each value, then that of no value and that of values which were let go: int64 [V + 2]."""
    found = pc.index_in(values, value_set=pa.array(category.vocabulary, pa.string()))
    codes = found.fill_null(UNSEEN - FIRST_CODE).to_numpy(zero_copy_only=False) + FIRST_CODE
    return np.append(codes, [category.null_code, UNSEEN]).astype(np.int64)


def places_of(texts: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return distinct texts sorted by code point, and each text's place there, with the end's place behind them."""
    distinct = texts.unique()
    distinct = distinct.take(pc.sort_indices(distinct))
    places = pc.index_in(texts, value_set=distinct).to_numpy(zero_copy_only=False).astype(np.int64)
    return distinct, np.append(places, len(distinct))


def smoothed_means(counts: NDArray[np.int64], smoothing: float) -> Tables:
    """Return each code's share of every class but the first, drawn towards that of all rows (Micci-Barreca, 2001).

    Args:
        counts: int64 [codes, C].
        smoothing: In rows.

    Returns:
        float64 [C - 1, codes].
    """
    total = counts.sum(axis=0)
    prior = total / max(1, total.sum())
    shares = (counts + smoothing * prior) / (counts.sum(axis=1, keepdims=True) + smoothing)
    return np.ascontiguousarray(shares[:, 1:].T)


def out_of_fold_means(counts: NDArray[np.int64], smoothing: float) -> Sequence[Tables]:
    """Return `smoothed_means` for each fold, of the rows of all other folds. `counts` is int64 [codes, folds, C]."""
    total = counts.sum(axis=1)
    return [smoothed_means(total - counts[:, fold], smoothing) for fold in range(counts.shape[1])]

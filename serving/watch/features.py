"""Counts of nulls, unseen categories and values out of range, feature by feature, from what enters the graph."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any, Literal

import numpy as np

from serving.bundle.manifest import NULL_TIMESTAMP, BundleManifest
from serving.records.tensors import Feed
from serving.watch.expected import Expected

# Of a larger batch only so many rows are looked at.
_MOST_ROWS = 1024
_NUMBERS = frozenset({"float64", "float32", "int64"})
_Bounds = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class FeatureCounts:
    """Looks at feeds of one model version for at most a share of the time.

    After a look that took so long, the next waits until the share is kept. So a busy endpoint counts a sample of its
    runs, at a bounded cost whatever the model's width, and a quiet one counts every run.

    Args:
        manifest: The model's bundle.
        expected: What its columns held in training.
        share: Of the time; 1 looks at every run.

    Attributes:
        rows: Rows that were looked at.
    """

    def __init__(self, manifest: BundleManifest, expected: Mapping[str, Expected], share: float) -> None:
        # An image and a network's own input have no value of a feature.
        specs = [spec for spec in manifest.inputs if not spec.shape]
        numbers = [spec for spec in specs if spec.tensor in _NUMBERS]
        self.rows = 0
        self._pause = 1 / share - 1
        self._next = 0.0
        self._numbers = [spec.name for spec in numbers]
        self._instants = np.array([[spec.logical_type in {"date", "timestamp"}] for spec in numbers], dtype=bool)
        self._any_instants = bool(self._instants.any())
        self._lowest = self._bounds(expected, "lowest", -np.inf)
        self._highest = self._bounds(expected, "highest", np.inf)
        self._number_nulls = np.zeros(len(self._numbers), dtype=np.int64)
        self._outside = np.zeros(len(self._numbers), dtype=np.int64)
        self._texts = [spec.name for spec in specs if spec.tensor == "string"]
        names = {spec.name for spec in specs}
        self._vocabularies = {
            n: known.values for n, known in expected.items() if known.values is not None and n in names
        }
        self._text_nulls = dict.fromkeys(self._texts, 0)
        self._unseen = dict.fromkeys(self._vocabularies, 0)

    def look(self, feed: Feed) -> None:
        """Count what is in a feed, unless it is too early for that."""
        started = perf_counter()
        if started < self._next:
            return
        self.rows += min(len(next(iter(feed.values()))), _MOST_ROWS)
        if self._numbers:
            self._look_at_numbers(feed)
        for name in self._texts:
            nulls = feed[name][:_MOST_ROWS].tolist().count("")
            self._text_nulls[name] += nulls
        for name, vocabulary in self._vocabularies.items():
            self._look_for_unseen(name, vocabulary, feed)
        ended = perf_counter()
        self._next = ended + (ended - started) * self._pause

    def found(self, what: Literal["nulls", "unseen", "out_of_range"]) -> dict[str, int]:
        """Return counts by feature: nulls, values that are no known category, or values beyond the known range."""
        if what == "nulls":
            return dict(zip(self._numbers, self._number_nulls.tolist(), strict=True)) | self._text_nulls
        if what == "unseen":
            return dict(self._unseen)
        bounded = np.isfinite(self._lowest[:, 0]) | np.isfinite(self._highest[:, 0])
        pairs = zip(self._numbers, self._outside.tolist(), bounded.tolist(), strict=True)
        return {name: count for name, count, known in pairs if known}

    def _bounds(self, expected: Mapping[str, Expected], which: str, without: float) -> _Bounds:
        found = (getattr(expected.get(name), which, None) for name in self._numbers)
        return np.array([[without if bound is None else bound] for bound in found], dtype=np.float64).reshape(-1, 1)

    def _look_at_numbers(self, feed: Feed) -> None:
        # One matrix for all columns: numpy's cost per call is more than that of the few values in a usual batch.
        matrix: Any = np.array([feed[name][:_MOST_ROWS] for name in self._numbers], dtype=np.float64)
        nulls = np.isnan(matrix)
        if self._any_instants:
            instants = (matrix == NULL_TIMESTAMP) & self._instants
            nulls |= instants
            matrix[instants] = np.nan
        self._number_nulls += nulls.sum(axis=1)
        # Comparisons with NaN do not hold, so a null is inside every range.
        self._outside += ((matrix < self._lowest) | (matrix > self._highest)).sum(axis=1)

    def _look_for_unseen(self, name: str, vocabulary: frozenset[str] | frozenset[int], feed: Feed) -> None:
        values = feed[name][:_MOST_ROWS].tolist()
        # What is not equal to itself is NaN, the null of numbers; the empty string is the null of texts.
        self._unseen[name] += sum(
            value not in vocabulary and value != "" and value == value  # noqa: PLR0124
            for value in values
        )

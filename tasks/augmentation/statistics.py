"""What noise must know of the training split: spreads, ranges and code frequencies, mergeable over partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.preprocessing.constants import Preprocessing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Moments and range of D numeric features over `count` rows.

    Attributes:
        mean: float64 [D].
        squares: float64 [D], summed squared distances from the mean.
        low: float64 [D]; `high` likewise.
        two_valued: bool [D]; whether no value lies between `low` and `high`: indicators, one-hot columns, booleans.
    """

    count: int
    mean: Floats
    squares: Floats
    low: Floats
    high: Floats
    two_valued: NDArray[np.bool_]

    @classmethod
    def of(cls, numeric: NDArray[np.float32]) -> Spread:
        """Measure float32 [N, D]."""
        rows, width = numeric.shape
        if not rows:
            nothing = np.zeros(width)
            return cls(0, nothing, nothing, nothing, nothing, np.ones(width, dtype=bool))
        mean = numeric.mean(axis=0, dtype=np.float64)
        low, high = numeric.min(axis=0), numeric.max(axis=0)
        squares = np.asarray([np.square(numeric[:, i] - mean[i]).sum() for i in range(width)], dtype=np.float64)
        two_valued = ((numeric == low) | (numeric == high)).all(axis=0)
        return cls(rows, mean, squares, low.astype(np.float64), high.astype(np.float64), two_valued)

    def merge(self, other: Spread) -> Spread:
        """Join two measurements by the formulas of Chan, Golub and LeVeque (1979)."""
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        apart = other.mean - self.mean
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        ends = np.stack([self.low, self.high, other.low, other.high])
        two_valued = self.two_valued & other.two_valued & ((ends == low) | (ends == high)).all(axis=0)
        squares = self.squares + other.squares + np.square(apart) * (self.count * other.count / count)
        return Spread(count, self.mean + apart * (other.count / count), squares, low, high, two_valued)

    @property
    def deviation(self) -> Floats:
        """Standard deviation, float64 [D]."""
        return np.sqrt(self.squares / max(1, self.count))


@dataclass(frozen=True)
class TrainingStatistics:
    """Statistics of some partitions of the training split, label noise left out where it is.

    Attributes:
        classes: For each partition int64 [C], its rows by class.
        left_out: int64 [C], rows by class that were left out as label noise.
        spread: Of the numeric features.
        codes: For each categorical feature int64 [cardinality], how often each code occurs.
    """

    classes: tuple[NDArray[np.int64], ...]
    left_out: NDArray[np.int64]
    spread: Spread
    codes: tuple[NDArray[np.int64], ...]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows by class, int64 [C]."""
        return np.asarray(np.sum(np.stack(self.classes), axis=0), dtype=np.int64)

    def merge(self, other: TrainingStatistics) -> TrainingStatistics:
        """Join the statistics of two neighbouring stretches, this one first."""
        return TrainingStatistics(
            self.classes + other.classes,
            self.left_out + other.left_out,
            self.spread.merge(other.spread),
            tuple(mine + theirs for mine, theirs in zip(self.codes, other.codes, strict=True)),
        )


def count_codes(codes: NDArray[np.int64], constants: Preprocessing) -> tuple[NDArray[np.int64], ...]:
    """Count each categorical feature's codes in int64 [N, K]."""
    return tuple(
        np.bincount(codes[:, index], minlength=feature.cardinality)
        for index, feature in enumerate(constants.categorical)
    )


def rows_before(classes: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Return for each partition how many rows of each class come in partitions ahead of it."""
    ends = np.cumsum(np.stack(classes), axis=0)
    return [*np.vstack([np.zeros_like(ends[:1]), ends[:-1]])]

"""Target in disguise: does one feature alone, learnt on training rows, order the validation rows by their class?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.leakage.words import Words, value_words
from tasks.preprocessing.columns import numeric_values, one_array
from tasks.preprocessing.sketch import Distribution

Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

# With ten rows of either class, chance reaches a ROC-AUC of 0.98 in one of 50,000 columns.
LEAST_ROWS = 10
_MOST_BINS = 256
_ROWS_PER_BIN = 10
_MOST_CLASSES = 50


@dataclass(frozen=True)
class FeatureSample:
    """One feature in some rows.

    Attributes:
        values: float64 [N] with NaN for null, of a number or an instant; None for text.
        words: uint64 [N], of text and of integers, which may be codes; None for what is surely an amount.
        null: bool [N].
    """

    values: NDArray[np.float64] | None
    words: Words | None
    null: Bools

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> FeatureSample:
        """Take a column as it is."""
        array = one_array(column)
        text = pa.types.is_string(array.type) or pa.types.is_dictionary(array.type)
        return cls(
            values=None if text else numeric_values(array),
            words=value_words(array) if text or pa.types.is_integer(array.type) else None,
            null=np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_),
        )


@dataclass(frozen=True)
class RowSample:
    """Sampled training and validation rows.

    Attributes:
        train: bool [N], whether the row is of the training split.
        targets: By column: uint64 [N], the class; float64 [N] where the target is a number.
        features: By column.
    """

    train: Bools
    targets: Mapping[str, NDArray[Any]]
    features: Mapping[str, FeatureSample]


@dataclass(frozen=True)
class Separation:
    """How well a feature alone tells the target.

    Of classes the ROC-AUC, one class against the rest, averaged over classes; of numbers the R2 of their ranks.

    Attributes:
        feature: By its values.
        null: By whether it is null, if it ever is.
    """

    feature: float
    null: float | None


class Judge:
    """Judges features one at a time over one sample by how well they tell classes apart.

    Target rates are learnt for each value or bin on the training rows; a value that training never saw has the rate of
    the whole, so a column of unique numbers tells nothing.
    """

    def __init__(self, train: Bools, target: Words) -> None:
        """Count the classes; of many, the most frequent ones are judged."""
        self._train = train
        self._classes = [
            each for each in _most_frequent(target[train]) if self._enough(target[~train] == each)
        ]  # fmt: skip
        self._is_class = [target == each for each in self._classes]

    @property
    def can_judge(self) -> bool:
        """There are enough validation rows of some class and of the rest."""
        return bool(self._classes)

    def judge(self, sample: FeatureSample) -> Separation:
        """Measure one feature."""
        return separation(sample, self._train, self._area)

    def _enough(self, of_class: Bools) -> bool:
        count = int(of_class.sum())
        return min(count, len(of_class) - count) >= LEAST_ROWS

    def _area(self, codes: Integers) -> float:
        size = int(codes.max()) + 1
        train, valid = codes[self._train], codes[~self._train]
        trained, judged = np.bincount(train, minlength=size), np.bincount(valid, minlength=size)
        areas = []
        for of_class in self._is_class:
            base = of_class[self._train].mean()
            # One row of the base rate stands beside what was seen: a value seen once proves little.
            rates = (np.bincount(train[of_class[self._train]], minlength=size) + base) / (trained + 1)
            positive = np.bincount(valid[of_class[~self._train]], minlength=size)
            areas.append(_area(rates, positive, judged - positive))
        return float(np.mean(areas))


def separation(sample: FeatureSample, train: Bools, measure: Callable[[Integers], float]) -> Separation:
    """Measure one feature by its values or bins, whichever tell more, and by where it is null.

    Args:
        sample: The feature in N rows.
        train: bool [N], the rows that bins are learnt on.
        measure: Says of each row's code, int64 [N], how well it tells the target.
    """
    null = measure(sample.null.astype(np.int64)) if sample.null.any() else None
    return Separation(max(measure(codes) for codes in _encodings(sample, train)), null)


def _encodings(sample: FeatureSample, train: Bools) -> Iterator[Integers]:
    if sample.words is not None:
        yield np.unique(sample.words, return_inverse=True)[1]
    if sample.values is not None:
        yield _bins(sample.values, train)


def _most_frequent(target: Words) -> list[np.uint64]:
    classes, counts = np.unique(target, return_counts=True)
    return list(classes[np.lexsort((classes, -counts))[:_MOST_CLASSES]])


def _bins(values: NDArray[np.float64], train: Bools) -> Integers:
    """Cut numbers at quantiles of the training rows; null has a bin of its own."""
    seen = Distribution.of(values[train])
    if not seen.rows:
        return np.isnan(values).astype(np.int64)
    wanted = int(np.clip(seen.rows // _ROWS_PER_BIN, 2, _MOST_BINS))
    edges = np.unique(seen.quantiles([step / wanted for step in range(1, wanted)]))
    codes = np.searchsorted(edges, values, side="left").astype(np.int64)
    codes[np.isnan(values)] = len(edges) + 1
    return codes


def _area(rates: NDArray[np.float64], positive: Integers, negative: Integers) -> float:
    """Return the area under the ROC curve of rows scored by their value's rate; rows of the same rate count half."""
    _, level = np.unique(rates, return_inverse=True)
    above, below = np.bincount(level, positive), np.bincount(level, negative)
    wins = above * (np.cumsum(below) - below / 2)
    return float(wins.sum() / (above.sum() * below.sum()))

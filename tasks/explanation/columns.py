"""Raw columns as the sets of features that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.preprocessing.constants import Preprocessing

Floats = NDArray[np.float64]
# `numeric` float32 `[N, D]` and `categorical` int64 `[N, K]`.
Inputs = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class ColumnFeatures:
    """The features of one raw column.

    Attributes:
        column: Its name; of the flag that an isolation forest gives a row, which has no column, the feature's.
        numeric: Places in the float32 matrix.
        categorical: Places in the int64 matrix.
    """

    column: str
    numeric: tuple[int, ...]
    categorical: tuple[int, ...]

    def put(self, into: Inputs, inputs: Inputs, rows: NDArray[np.int64]) -> None:
        """Set the features of this column to those of rows of the inputs: all together, so that they agree."""
        into[0][:, self.numeric] = inputs[0][:, self.numeric][rows]
        into[1][:, self.categorical] = inputs[1][:, self.categorical][rows]


def column_features(preprocessing: Preprocessing) -> list[ColumnFeatures]:
    """Return every raw column that has features, in the order of the features."""
    numeric: dict[str, list[int]] = {}
    categorical: dict[str, list[int]] = {}
    for place, feature in enumerate(preprocessing.numeric):
        name = feature.name if feature.kind == "row_outlier" else feature.column
        numeric.setdefault(name, []).append(place)
    for place, category in enumerate(preprocessing.categorical):
        categorical.setdefault(category.column, []).append(place)
    return [
        ColumnFeatures(name, tuple(numeric.get(name, ())), tuple(categorical.get(name, ())))
        for name in dict.fromkeys([*numeric, *categorical])
    ]


def by_column(values: Floats, columns: Sequence[ColumnFeatures], numbers: int) -> Floats:
    """Add up what features are given by their columns.

    Args:
        values: float64 `[N, D + K]`, numbers first.
        columns: The columns.
        numbers: `D`.

    Returns:
        float64 `[N, C]`.
    """
    places = [[*each.numeric, *(numbers + place for place in each.categorical)] for each in columns]
    return np.stack([values[:, place].sum(axis=1) for place in places], axis=1)

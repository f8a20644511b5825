"""Counts of served rows: a batch at a time, in bounded memory, added up in any order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.drift.expected import Counts, Series
from tasks.errors import DataError
from tasks.preprocessing.columns import categories, numeric_values

# A number that travelled as float32 differs by so much, relative to the ends of the range.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class SeriesCounts:
    """What served rows held in one series, by slice of time.

    Attributes:
        cells: int64 `[S, K]`, as `Series.counts`.
        there: int64 `[S]`, rows that are not null.
        nulls: int64 `[S]`.
        strange: int64 `[S]`; for numbers those out of range, for categories those that are not among the values.
    """

    cells: Counts
    there: Counts
    nulls: Counts
    strange: Counts

    @classmethod
    def none(cls, series: Series, slices: int) -> SeriesCounts:
        """Return the counts of no rows."""
        zeros = np.zeros(slices, np.int64)
        return cls(np.zeros((slices, len(series.counts)), np.int64), zeros, zeros, zeros)

    @property
    def rows(self) -> int:
        """Rows that are not null."""
        return int(self.there.sum())

    def merge(self, other: SeriesCounts) -> SeriesCounts:
        """Return the counts of both sets of rows together."""
        return SeriesCounts(
            self.cells + other.cells,
            self.there + other.there,
            self.nulls + other.nulls,
            self.strange + other.strange,
        )


def count_series(series: Series, column: pa.Array, places: NDArray[np.int64], slices: int) -> SeriesCounts:
    """Count the rows of a batch.

    Args:
        series: What is expected.
        column: The sampled column of N rows.
        places: int64 `[N]`, each row's slice of time.
        slices: How many slices there are.

    Raises:
        DataError: The samples hold values of another type.
    """
    column = _plain(series, column)
    if series.kind == "category":
        null, cells, strange = _category_cells(series, column)
    elif series.kind == "instant":
        null = np.asarray(column.is_null().to_numpy(zero_copy_only=False), np.bool_)
        cells, strange = np.zeros(0, np.int64), np.zeros(len(null), np.bool_)
    else:
        null, cells, strange = _number_cells(series, numeric_values(column))
    width, there = len(series.counts), places[~null]
    table = np.bincount(there * width + cells, minlength=slices * width) if width else np.zeros(0, np.int64)
    return SeriesCounts(
        table.reshape(slices, width).astype(np.int64),
        *(np.bincount(each, minlength=slices).astype(np.int64) for each in (there, places[null], places[strange])),
    )


_Cells = tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]]


def _number_cells(series: Series, values: NDArray[np.float64]) -> _Cells:
    """Return which of N rows are null, the cells of the others, and which of the N are out of range."""
    null = np.isnan(values)
    outside = np.zeros(len(values), np.bool_)
    if series.span is not None:
        low, high = series.span
        room = _ROUNDING * max(abs(low), abs(high))
        outside = (values < low - room) | (values > high + room)
    return null, np.searchsorted(series.edges, values[~null], side="left").astype(np.int64), outside


def _category_cells(series: Series, column: pa.Array) -> _Cells:
    """Return which of N rows are null, the cells of the others, and which of the N are of no known value."""
    found, known = categories(column), pa.array(series.values, pa.string())
    cell = pc.index_in(found.values.cast(pa.string()), value_set=known).fill_null(len(known)).to_numpy()
    # The position behind the last value is that of null, which has no cell.
    cells = np.append(cell, -1).astype(np.int64)[found.positions]
    null = cells < 0
    return null, cells[~null], (cells == len(known)) & series.closed


def _plain(series: Series, column: pa.Array) -> pa.Array:
    """Return one value a row, of a type that the series has."""
    if series.place is not None:
        if not pa.types.is_list(column.type):
            raise _other_type(series, column, "lists")
        if series.place == "largest":
            numbers = column.flatten().to_numpy(zero_copy_only=False)
            column = pa.array(numbers.reshape(len(column), -1).max(axis=1) if len(column) else numbers)
        else:
            column = pc.list_element(column, series.place)
    kind = column.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    if series.kind == "number" and not numeric:
        raise _other_type(series, column, "numbers")
    if series.kind == "category" and not (numeric or pa.types.is_string(kind)):
        raise _other_type(series, column, "texts, integers or booleans")
    return column


def _other_type(series: Series, column: pa.Array, expected: str) -> DataError:
    return DataError(
        f"samples: {series.of} `{series.column}`: expected {expected}, got {column.type}\n"
        "  do: name the folder that the endpoint wrote, of this model's version"
    )

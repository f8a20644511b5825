"""Raw columns as the values that features are made of; fitting and transforming read them through here alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_contracts.codes import there
from tasks.preprocessing.calendar import calendar_table
from tasks.preprocessing.constants import CalendarPart


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column's values in one Arrow array; chunks of a dictionary column get one dictionary."""
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    return (
        column.unify_dictionaries().combine_chunks() if pa.types.is_dictionary(column.type) else column.combine_chunks()
    )


def instants(column: pa.Array) -> NDArray[np.int64]:
    """Return a date or timestamp column as int64 microseconds since 1970 UTC; 0 where it is null."""
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    microseconds = column.cast(pa.timestamp("us", tz=zone)).cast(pa.int64())
    return np.asarray(microseconds.fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)


def nulls_of(array: pa.Array) -> NDArray[np.bool_]:
    """Return where an array is null, bool [N]."""
    return ~there(array)


def numeric_values(column: pa.ChunkedArray | pa.Array, part: CalendarPart | None = None) -> NDArray[np.float64]:
    """Return a column, or a calendar part of it, as float64 [N] with NaN for null.

    Booleans are 0 and 1; instants without a part are microseconds since 1970 UTC. The array may be the column's own
    memory, which cannot be written to.
    """
    array = one_array(column)
    if not pa.types.is_temporal(array.type):
        numbers = array if pa.types.is_float64(array.type) else array.cast(pa.float64(), safe=False)
        return np.asarray((numbers.fill_null(math.nan) if numbers.null_count else numbers).to_numpy())
    since_1970 = instants(array)
    if part is None or not len(since_1970):
        values = since_1970.astype(np.float64)
    else:
        table, positions = calendar_table(since_1970, part)
        values = table.astype(np.float64)[positions]
    if array.null_count:
        values[nulls_of(array)] = np.nan
    return values


@dataclass(frozen=True)
class Categories:
    """A column's values as positions in a short list, so that text is looked at once a value and not once a row.

    Attributes:
        values: string or int64 [C] without nulls and without the empty string; a value may stand there twice, or
            not occur in any row.
        positions: Integers [N] from 0 to C; C for a row without a category.
    """

    values: pa.Array
    positions: NDArray[Any]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each value occurs, and last how many rows have none: int64 [C + 1]."""
        return np.bincount(self.positions, minlength=len(self.values) + 1)


def categories(column: pa.ChunkedArray | pa.Array, part: CalendarPart | None = None) -> Categories:
    """Return a column, or a calendar part of it, as categories.

    Values are strings (of a string column, plain or a dictionary) or int64 (of all else; booleans are 0 and 1). Null
    and the empty string are no category.
    """
    array = one_array(column)
    if part is not None:
        if not len(array):
            return Categories(pa.array([], pa.int64()), np.zeros(0, dtype=np.int64))
        table, positions = calendar_table(instants(array), part)
        if array.null_count:
            positions = np.where(nulls_of(array), len(table), positions)
        return Categories(pa.array(table), positions)
    if not pa.types.is_dictionary(array.type):
        text = pa.types.is_string(array.type) or pa.types.is_temporal(array.type)
        array = (array if text else array.cast(pa.int64())).dictionary_encode()
    values = array.dictionary
    indices = array.indices.fill_null(len(values)) if array.indices.null_count else array.indices
    return _without_empty(values, indices.to_numpy(zero_copy_only=False))


def _without_empty(values: pa.Array, positions: NDArray[Any]) -> Categories:
    """Send the positions of null and of the empty string to the end."""
    empty = nulls_of(values)
    if pa.types.is_string(values.type):
        empty = empty | np.asarray(pc.equal(values, "").fill_null(True).to_numpy(zero_copy_only=False))  # noqa: FBT003
    if not empty.any():
        return Categories(values, positions)
    kept = np.cumsum(~empty) - 1
    targets = np.append(np.where(empty, len(values) - int(empty.sum()), kept), len(values) - int(empty.sum()))
    return Categories(values.filter(pa.array(~empty)), targets[positions])

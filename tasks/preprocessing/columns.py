"""Raw columns as the values that features are made of; fitting and transforming read them through here alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.preprocessing.calendar import calendar_part
from tasks.preprocessing.constants import CalendarPart


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column's values in one Arrow array."""
    if isinstance(column, pa.Array):
        return column
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def instants(column: pa.Array) -> NDArray[np.int64]:
    """Return a date or timestamp column as int64 microseconds since 1970 UTC; 0 where it is null."""
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    microseconds = column.cast(pa.timestamp("us", tz=zone)).cast(pa.int64())
    return np.asarray(microseconds.fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)


def numeric_values(column: pa.ChunkedArray | pa.Array, part: CalendarPart | None = None) -> NDArray[np.float64]:
    """Return a column, or a calendar part of it, as float64 [N] with NaN for null.

    Booleans are 0 and 1; instants without a part are microseconds since 1970 UTC.
    """
    array = one_array(column)
    if not pa.types.is_temporal(array.type):
        return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    since_1970 = instants(array)
    values = (since_1970 if part is None else calendar_part(since_1970, part)).astype(np.float64)
    values[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return values


def category_values(column: pa.ChunkedArray | pa.Array, part: CalendarPart | None = None) -> pa.Array:
    """Return a column, or a calendar part of it, as categories: string, or int64 for all else; null for no category.

    The empty string is no category; booleans are 0 and 1.
    """
    array = one_array(column)
    if part is not None:
        return pa.array(calendar_part(instants(array), part), mask=array.is_null().to_numpy(zero_copy_only=False))
    if pa.types.is_string(array.type):
        return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)
    return array.cast(pa.int64())

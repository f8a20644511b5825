"""Values written in a contract (bounds, allowed values) as Arrow values of their column's type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from data_contracts.contract import Column
from data_contracts.instants import read_instants
from data_contracts.parsing import ARROW_TYPES
from data_contracts.repair import date_formats


def arrow_value(value: Any, column: Column) -> pa.Scalar:
    """Return one written value as a scalar to compare the column with.

    A bound of an integer column may have a fraction; it is then compared as a float64.

    Raises:
        ValueError: The value does not have the column's type.
    """
    if column.logical_type == "integer" and isinstance(value, float) and not value.is_integer():
        return pa.scalar(value, pa.float64())
    return arrow_values([value], column)[0]


def arrow_values(values: Iterable[Any], column: Column) -> pa.Array:
    """Return written values as an array of the column's type; dates and timestamps are written as ISO 8601 text.

    Raises:
        ValueError: A value does not have the column's type.
    """
    return pa.array([_native(value, column) for value in values], ARROW_TYPES[column.logical_type])


def _native(value: Any, column: Column) -> Any:
    kind = column.logical_type
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind == "integer" and isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        if not -(2**63) <= int(value) < 2**63:
            raise ValueError(f"{value} is beyond 64 bits")
        return int(value)
    if kind in {"date", "timestamp"} and isinstance(value, str):
        return _instant(value, column)
    raise ValueError(f"{value!r} is not a {kind}")


def _instant(value: str, column: Column) -> Any:
    zone = column.options.get("defaultTimezone", "UTC")
    for text_format in (None, *date_formats(column)):
        micros, ok = read_instants(pa.array([value]), text_format, zone)
        if ok[0]:
            stamp = pa.scalar(int(micros[0]), pa.timestamp("us", tz="UTC")).as_py()
            return stamp.date() if column.logical_type == "date" else stamp
    raise ValueError(f"{value!r} is not a {column.logical_type}")

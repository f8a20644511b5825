"""Records made from a contract to try a model on: bounds and just beyond them, nulls, unseen and extreme values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Column, Contract
from data_contracts.parsing import ARROW_TYPES
from data_contracts.scalars import arrow_values

_NULL_SHARE = 0.1
_EXTREME_SHARE = 0.5
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_INT64_MAX = 2**63 - 1
_EXTREME_NUMBERS = (
    0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, -1e-300, 5e-324, 1e-7, 1e7, 2.0**53, 2.0**53 + 2, 3.5e38, -3.5e38, 1e300,
    1e308, -1e308, 1.7976931348623157e308, -1.7976931348623157e308,
)  # fmt: skip
_EXTREME_INTEGERS = (0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**53, 2**53 + 1, -(2**53) - 1, _INT64_MAX, -_INT64_MAX)
_EXTREME_TEXTS = (
    "", " ", "0", "null", "NaN", "unseen", "UNSEEN", "never-seen-before", "é", "日本語", "emoji 🛫", "a b", "tab\there",
    "new\nline", '"quoted"', "x" * 1_000,
)  # fmt: skip
# 0001-01-01, 1582-10-15, 1900-02-28, 1969-12-31 and 1970-01-01 with neighbours, 2000-02-29, 2016-12-31, 2038-01-19,
# 2100-03-01, 9999-12-31: seconds since 1970 UTC.
_EXTREME_SECONDS = (
    -62_135_596_800, -12_219_292_800, -2_203_977_600, -86_400, -1, 0, 1, 951_782_400, 1_483_228_799, 2_147_483_647,
    2_147_483_648, 4_107_542_400, 253_402_300_799,
)  # fmt: skip
_DAY = 86_400
_MICRO = 1_000_000


def generate_records(contract: Contract, columns: Sequence[str], rows: int, seed: int) -> pa.Table:
    """Generate records of the types that `parse_table` gives.

    About half of each column's values are ordinary (allowed values, numbers inside the bounds), the others extreme:
    at, just inside and just beyond a bound, zeros of both signs, numbers near the ends of the float64 range, empty and
    unseen texts, instants from the year 1 to 9999. A tenth of a column that is not required is null. So many rows
    break the contract, on purpose.

    Args:
        contract: The columns' types, bounds and allowed values.
        columns: The columns to generate, in this order.
        rows: How many rows.
        seed: The same seed gives the same records, whichever columns are asked for.
    """
    arrays = []
    for name in columns:
        position = [column.name for column in contract.columns].index(name)
        random = np.random.default_rng([seed, position])
        arrays.append(_generate_column(contract.columns[position], rows, random))
    return pa.table(arrays, names=list(columns))


def _generate_column(column: Column, rows: int, random: np.random.Generator) -> pa.Array:
    kind = ARROW_TYPES[column.logical_type]
    extreme = _extreme(column)
    ordinary = _ordinary(column, rows, random)
    picked = extreme.take(random.integers(0, len(extreme), rows))
    is_extreme = pa.array(random.random(rows) < _EXTREME_SHARE)
    is_null = random.random(rows) < _NULL_SHARE
    if column.required:
        is_null[:] = False
    values = pc.if_else(is_extreme, picked, ordinary)
    return pc.if_else(pa.array(is_null), pa.scalar(None, kind), values)


def _ordinary(column: Column, rows: int, random: np.random.Generator) -> pa.Array:
    kind = ARROW_TYPES[column.logical_type]
    if column.enum:
        return arrow_values(column.enum, column).take(random.integers(0, len(column.enum), rows))
    if column.logical_type == "boolean":
        return pa.array(random.random(rows) < 0.5)
    if column.logical_type == "string":
        return pa.array([f"value-{number}" for number in random.integers(0, 50, rows)])
    if column.logical_type in {"date", "timestamp"}:
        unit = 1 if column.logical_type == "date" else _DAY * _MICRO
        whole = np.int32 if column.logical_type == "date" else np.int64
        return pa.array(random.integers(0, 30_000 * unit, rows).astype(whole)).cast(kind)
    low, high = _range(column)
    if column.logical_type == "integer":
        # The middle of the range in floats, so that a range as wide as 64 bits does not overflow.
        return pa.array(np.clip(random.uniform(low, high, rows), -(2.0**62), 2.0**62).astype(np.int64))
    return pa.array(random.uniform(low, high, rows))


def _range(column: Column) -> tuple[float, float]:
    options = column.options
    low = options.get("minimum", options.get("exclusiveMinimum"))
    high = options.get("maximum", options.get("exclusiveMaximum"))
    if low is None and high is None:
        low, high = -1_000.0, 1_000.0
    elif low is None:
        low = high - 1_000.0
    elif high is None:
        high = low + 1_000.0
    return (float(low), float(high)) if low <= high else (float(high), float(low))


def _extreme(column: Column) -> pa.Array:
    kind = ARROW_TYPES[column.logical_type]
    bounds = [column.options[name] for name in _BOUNDS if name in column.options]
    values: list[Any]
    match column.logical_type:
        case "boolean":
            values = [False, True]
        case "string":
            values = [*_EXTREME_TEXTS, *(f"{value} " for value in column.enum or ())]
        case "integer":
            near = [int(bound) + step for bound in bounds for step in (-1, 0, 1)]
            values = [min(max(value, -_INT64_MAX), _INT64_MAX) for value in (*_EXTREME_INTEGERS, *near)]
        case "number":
            near = [np.nextafter(float(bound), way) for bound in bounds for way in (-np.inf, float(bound), np.inf)]
            values = [*_EXTREME_NUMBERS, *(float(value) for value in near if np.isfinite(value))]
        case "date":
            edges = arrow_values(bounds, column).cast(pa.int32()).to_pylist()
            days = [second // _DAY for second in _EXTREME_SECONDS]
            return pa.array([*days, *(edge + step for edge in edges for step in (-1, 0, 1))], pa.int32()).cast(kind)
        case "timestamp":
            edges = arrow_values(bounds, column).cast(pa.int64()).to_pylist()
            instants = [second * _MICRO for second in _EXTREME_SECONDS]
            return pa.array([*instants, *(edge + step for edge in edges for step in (-1, 0, 1))], pa.int64()).cast(kind)
    return pa.array(values, kind)

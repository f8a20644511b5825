"""Measuring one partition for everything that is judged over the whole dataset, and merging such measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from data_contracts.contract import Contract, TableRule
from data_contracts.expectation_plan import AGGREGATES, statistics_needed
from data_contracts.parsing import NULL_MARKERS, ParsedTable
from data_contracts.row_rules import EXAMPLES, BrokenRules
from data_contracts.scalars import arrow_values

DISTINCT_LIMIT = 1_000
CUSTOM_EXAMPLES = 20

_YES = pa.scalar(value=True)

Value = TypeVar("Value")
Mask: TypeAlias = pa.Array | pa.ChunkedArray


class _Frozen(BaseModel):
    # Sums of extreme numbers can leave the floats' range; JSON has no word for that but a string.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Moments(_Frozen):
    """Count, sum, mean and sum of squared deviations of the values of a numeric column that are there."""

    count: int
    total: int | float
    mean: float
    deviations: float


class ColumnMeasure(_Frozen):
    """What is known of one column over some rows.

    Only statistics that an expectation of the contract needs are taken; the others stay None.

    Attributes:
        nulls: Values that are not there (unreadable ones are there).
        unreadable: Values that cannot be read as the column's type.
        minimum: Least value; dates and timestamps as ISO 8601 text.
        maximum: Greatest value.
        distinct: The distinct values, sorted, unless they are more than `DISTINCT_LIMIT`.
        distinct_left_out: There are more distinct values than are kept.
    """

    nulls: int
    unreadable: int
    minimum: bool | int | float | str | None = None
    maximum: bool | int | float | str | None = None
    moments: Moments | None = None
    distinct: tuple[bool | int | float | str, ...] | None = None
    distinct_left_out: bool = False


class CustomCounts(_Frozen):
    """Counts that a row-level expectation needs, by the library's metric name, and at most 20 unexpected values."""

    counts: Mapping[str, int]
    unexpected: tuple[Any, ...] = ()


class Measurements(_Frozen):
    """Everything about some rows that table rules and expectations are judged by, but duplicates.

    Attributes:
        rows: Number of rows.
        broken: Rows that break each row rule.
        examples: At most five values, as text, for each broken row rule.
        columns: By column name.
        table: Rows that each table rule counts (nulls, missing, invalid), by rule id.
        custom: By id of the row-level expectation rule.
    """

    rows: int = 0
    broken: Mapping[str, int] = {}
    examples: Mapping[str, tuple[str, ...]] = {}
    columns: Mapping[str, ColumnMeasure] = {}
    table: Mapping[str, int] = {}
    custom: Mapping[str, CustomCounts] = {}


def measure_partition(parsed: ParsedTable, broken: BrokenRules, contract: Contract) -> Measurements:
    """Measure one partition.

    Args:
        parsed: The partition, with every column of the contract.
        broken: What `broken_rules` found in it.
        contract: The rules.
    """
    needed = statistics_needed(contract)
    custom: Mapping[str, CustomCounts] = {}
    if any(rule.type not in AGGREGATES for rule in contract.expectation_rules):
        # Importing Great Expectations takes seconds, so only contracts that need it to look at rows pay for it.
        from data_contracts.expectations import measure_custom  # noqa: PLC0415

        custom = measure_custom(parsed, contract)
    return Measurements(
        rows=parsed.table.num_rows,
        broken=broken.counts,
        examples=broken.examples,
        columns={name: _measure_column(parsed, name, needed.get(name, set())) for name in parsed.table.column_names},
        table={
            rule.id: int(pc.sum(counted_rows(rule, parsed, contract)).as_py() or 0)
            for rule in contract.table_rules
            if rule.metric not in {"rowCount", "duplicateValues"}
        },
        custom=custom,
    )


def counted_rows(rule: TableRule, parsed: ParsedTable, contract: Contract) -> Mask:
    """Return a mask of the rows that `nullValues`, `missingValues` or `invalidValues` counts.

    A rule over several columns counts a row once, where any of them is null, missing or invalid.
    """
    masks = [_COUNTED[rule.metric](rule, parsed, contract, name) for name in rule.columns]
    return reduce(pc.or_, masks)


def merge(first: Measurements, second: Measurements) -> Measurements:
    """Return the measurements of both together.

    Counts, extremes and distinct values merge exactly, in any order; moments by Chan, Golub and LeVeque (1983), so up
    to rounding; examples keep the first five.
    """
    return Measurements(
        rows=first.rows + second.rows,
        broken=_merge(first.broken, second.broken, int.__add__),
        examples=_merge(first.examples, second.examples, lambda a, b: (a + b)[:EXAMPLES]),
        columns=_merge(first.columns, second.columns, _merge_columns),
        table=_merge(first.table, second.table, int.__add__),
        custom=_merge(first.custom, second.custom, _merge_custom),
    )


def _merge(a: Mapping[str, Value], b: Mapping[str, Value], join: Callable[[Value, Value], Value]) -> dict[str, Value]:
    return {key: join(a[key], b[key]) if key in a and key in b else (a if key in a else b)[key] for key in {**a, **b}}


def _merge_columns(a: ColumnMeasure, b: ColumnMeasure) -> ColumnMeasure:
    distinct = None
    left_out = a.distinct_left_out or b.distinct_left_out
    if a.distinct is not None and b.distinct is not None:
        distinct = tuple(sorted({*a.distinct, *b.distinct}))
        left_out = len(distinct) > DISTINCT_LIMIT
    return ColumnMeasure(
        nulls=a.nulls + b.nulls,
        unreadable=a.unreadable + b.unreadable,
        minimum=_either(a.minimum, b.minimum, min),
        maximum=_either(a.maximum, b.maximum, max),
        moments=_either(a.moments, b.moments, _merge_moments),
        distinct=None if left_out else distinct,
        distinct_left_out=left_out,
    )


def _either(a: Any, b: Any, join: Callable[[Any, Any], Any]) -> Any:
    if a is None or b is None:
        return b if a is None else a
    return join(a, b)


def _merge_moments(a: Moments, b: Moments) -> Moments:
    count = a.count + b.count
    if not a.count or not b.count:
        return a if a.count else b
    gap = b.mean - a.mean
    return Moments(
        count=count,
        total=a.total + b.total,
        mean=a.mean + gap * (b.count / count),
        deviations=a.deviations + b.deviations + gap * gap * (a.count * (b.count / count)),
    )


def _merge_custom(a: CustomCounts, b: CustomCounts) -> CustomCounts:
    unexpected = (a.unexpected + b.unexpected)[:CUSTOM_EXAMPLES]
    return CustomCounts(counts=_merge(a.counts, b.counts, int.__add__), unexpected=unexpected)


def _measure_column(parsed: ParsedTable, name: str, needed: set[str]) -> ColumnMeasure:
    values = parsed.table.column(name)
    unreadable = int(pc.sum(parsed.unreadable[name]).as_py()) if name in parsed.unreadable else 0
    found: dict[str, Any] = {}
    if "extremes" in needed:
        found |= {"minimum": _plain(pc.min(values).as_py()), "maximum": _plain(pc.max(values).as_py())}
    if "moments" in needed:
        found["moments"] = _moments(values.drop_null())
    if "distinct" in needed:
        distinct = values.drop_null().unique()
        found["distinct_left_out"] = len(distinct) > DISTINCT_LIMIT
        if not found["distinct_left_out"]:
            found["distinct"] = tuple(sorted(_plain(value) for value in distinct.to_pylist()))
    return ColumnMeasure(nulls=values.null_count - unreadable, unreadable=unreadable, **found)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _moments(values: pa.ChunkedArray) -> Moments:
    numbers = values.to_numpy()
    if not len(numbers):
        return Moments(count=0, total=0, mean=0.0, deviations=0.0)
    if numbers.dtype.kind != "f":
        # The halves of 64-bit integers sum without overflow; Python joins them exactly.
        whole = numbers.astype(np.int64)
        total: int | float = (int(np.sum(whole >> 32)) << 32) + int(np.sum(whole & 0xFFFFFFFF))
        mean = total / len(numbers)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(np.sum(numbers))
            mean = float(np.mean(numbers))
    with np.errstate(over="ignore", invalid="ignore"):
        deviations = float(np.sum((numbers.astype(np.float64) - mean) ** 2))
    return Moments(count=len(numbers), total=total, mean=mean, deviations=deviations)


def _count_null(_rule: TableRule, parsed: ParsedTable, _contract: Contract, name: str) -> Mask:
    nulls = parsed.table.column(name).is_null()
    return pc.and_not(nulls, parsed.unreadable[name]) if name in parsed.unreadable else nulls


def _count_missing(rule: TableRule, parsed: ParsedTable, contract: Contract, name: str) -> Mask:
    listed = rule.arguments.get("missingValues", [None])
    column = contract.column(name)
    named = {str(value) for value in column.enum or ()}
    # Reading turns every null marker into null, so a list that names one of them counts the nulls.
    blank = [value for value in listed if value is None or (_is_marker(value) and value not in named)]
    others = arrow_values([value for value in listed if value not in blank], column)
    held = pc.is_in(parsed.table.column(name), value_set=others)
    return pc.or_(_count_null(rule, parsed, contract, name), held) if blank else held


def _is_marker(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() in NULL_MARKERS


def _count_invalid(rule: TableRule, parsed: ParsedTable, contract: Contract, name: str) -> Mask:
    values = parsed.table.column(name)
    invalid: Mask = parsed.unreadable.get(name, pa.array(np.zeros(len(values), np.bool_)))
    if "validValues" in rule.arguments:
        allowed = arrow_values(rule.arguments["validValues"], contract.column(name))
        invalid = pc.or_(invalid, pc.and_not(values.is_valid(), pc.is_in(values, value_set=allowed)))
    if "pattern" in rule.arguments:
        matched = pc.match_substring_regex(values, rule.arguments["pattern"]).fill_null(_YES)
        invalid = pc.or_(invalid, pc.invert(matched))
    return invalid


_COUNTED: Mapping[str, Callable[[TableRule, ParsedTable, Contract, str], Mask]] = {
    "nullValues": _count_null,
    "missingValues": _count_missing,
    "invalidValues": _count_invalid,
}

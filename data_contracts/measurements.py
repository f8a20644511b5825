"""Measurements: what is known of some rows of a dataset, and how it merges. Any order gives the same judgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from data_contracts.row_rules import EXAMPLES

DISTINCT_LIMIT = 1_000
CUSTOM_EXAMPLES = 20

Value = TypeVar("Value")


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


class Gathered(_Frozen):
    """What Great Expectations found for an expectation that it judged over all values at once.

    Attributes:
        success: The expectation holds.
        result: The library's own result; values of classified columns are masked.
        why: Why it could not be judged, where it could not.
    """

    success: bool
    result: Mapping[str, Any] = {}
    why: str | None = None


class Measurements(_Frozen):
    """Everything about some rows that table rules and expectations are judged by, but duplicates.

    Attributes:
        rows: Number of rows.
        broken: Rows that break each row rule.
        examples: At most five values, as text, for each broken row rule.
        columns: By column name.
        table: Rows that each table rule counts (nulls, missing, invalid), by rule id.
        keyless: Rows without a key, for a null in one of its columns, by id of each key rule over several columns.
        custom: By id of the row-level expectation rule.
        gathered: By id of the expectation rule that needs all values at once.
    """

    rows: int = 0
    broken: Mapping[str, int] = {}
    examples: Mapping[str, tuple[str, ...]] = {}
    columns: Mapping[str, ColumnMeasure] = {}
    table: Mapping[str, int] = {}
    keyless: Mapping[str, int] = {}
    custom: Mapping[str, CustomCounts] = {}
    gathered: Mapping[str, Gathered] = {}


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
        keyless=_merge(first.keyless, second.keyless, int.__add__),
        custom=_merge(first.custom, second.custom, merge_custom),
        gathered={**first.gathered, **second.gathered},
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


def merge_custom(a: CustomCounts, b: CustomCounts) -> CustomCounts:
    """Return the counts of both together, with the first unexpected values."""
    unexpected = (a.unexpected + b.unexpected)[:CUSTOM_EXAMPLES]
    return CustomCounts(counts=_merge(a.counts, b.counts, int.__add__), unexpected=unexpected)

"""The metrics that Great Expectations asks for, by its names, answered from merged measurements."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from data_contracts.contract import Contract, ExpectationRule, KeyRule, RowRule, TableRule
from data_contracts.expectation_plan import AGGREGATES, PlannedExpectation, Rule
from data_contracts.judge import table_value
from data_contracts.measurements import (
    CUSTOM_EXAMPLES,
    DISTINCT_LIMIT,
    ColumnMeasure,
    CustomCounts,
    Measurements,
    Moments,
)

_NOTHING = ColumnMeasure(nulls=0, unreadable=0)


def metric_value(
    name: str,
    planned: PlannedExpectation,
    contract: Contract,
    measurements: Measurements,
    duplicates: Mapping[str, int],
) -> Any:
    """Return one metric.

    Args:
        name: The library's name of the metric.
        planned: The expectation that asks for it, and its rule.
        contract: The rules.
        measurements: Of all rows.
        duplicates: See `expectations.validation_result`.
    """
    rule = planned.rule
    if isinstance(rule, ExpectationRule) and planned.type not in AGGREGATES:
        return _of_custom(name, rule, measurements)
    if name.startswith("table."):
        return _of_table(name, rule, contract, measurements, duplicates)
    if name.startswith("column."):
        column = measurements.columns.get(planned.kwargs["column"], _NOTHING)
        described = contract.column(planned.kwargs["column"])
        temporal = described.logical_type in {"date", "timestamp"}
        return _of_column(name, planned.kwargs, column, measurements.rows, temporal=temporal)
    return _of_rows(name, rule, planned.kwargs.get("column", ""), measurements, duplicates)


def left_out(planned: PlannedExpectation, measurements: Measurements) -> str | None:
    """Say why an expectation cannot be judged from these merged statistics; None where it can."""
    if AGGREGATES.get(planned.type) != "distinct" or planned.kwargs.get("row_condition"):
        return None
    column = measurements.columns.get(planned.kwargs["column"], _NOTHING)
    if not column.distinct_left_out:
        return None
    return f"{planned.kwargs['column']} has more than {DISTINCT_LIMIT} distinct values, which are not kept"


def deviation(moments: Moments | None) -> float | None:
    """Return the standard deviation of a sample, which takes two values."""
    return math.sqrt(moments.deviations / (moments.count - 1)) if moments and moments.count > 1 else None


def _of_custom(name: str, rule: ExpectationRule, measurements: Measurements) -> Any:
    measured = measurements.custom.get(rule.id, CustomCounts(counts={}))
    return list(measured.unexpected) if name.endswith(".unexpected_values") else measured.counts.get(name, 0)


def _of_table(
    name: str, rule: Rule, contract: Contract, measurements: Measurements, duplicates: Mapping[str, int]
) -> Any:
    names = [column.name for column in contract.columns]
    if name == "table.contract_metric" and isinstance(rule, TableRule):
        return table_value(rule, measurements, duplicates)
    if name == "table.column_types":
        # What could not be read stands beside what could only in a column of objects.
        return [{"name": column, "type": np.dtype(object)} for column in names]
    return {"table.row_count": measurements.rows, "table.columns": names, "table.column_count": len(names)}[name]


def _of_rows(name: str, rule: Rule, column: str, measurements: Measurements, duplicates: Mapping[str, int]) -> Any:
    if name == "column_values.nonnull.unexpected_values":
        missing = _of_rows("column_values.nonnull.unexpected_count", rule, column, measurements, duplicates)
        return [None] * min(missing, CUSTOM_EXAMPLES)
    if name.endswith(".unexpected_values"):
        return list(measurements.examples.get(rule.id, ()))
    if name.endswith(".filtered_row_count"):
        return measurements.rows - measurements.keyless.get(rule.id, 0)
    if name == "column_values.nonnull.unexpected_count":
        return _nulls(rule, column, measurements)
    return duplicates[rule.id] if isinstance(rule, KeyRule) else measurements.broken.get(rule.id, 0)


def _nulls(rule: Rule, name: str, measurements: Measurements) -> int:
    column = measurements.columns.get(name, _NOTHING)
    if isinstance(rule, TableRule):
        return measurements.table.get(rule.id, 0)
    if isinstance(rule, RowRule) and rule.kind in {"type", "required"}:
        return column.nulls
    return column.nulls + column.unreadable


def _of_column(name: str, kwargs: Mapping[str, Any], column: ColumnMeasure, rows: int, *, temporal: bool) -> Any:
    moments = column.moments
    match name:
        case "column.non_null_proportion":
            return (rows - column.nulls - column.unreadable) / rows if rows else None
        case "column.min" | "column.max":
            bound = column.minimum if name == "column.min" else column.maximum
            return _instant(bound) if temporal else bound
        case "column.sum":
            return moments.total if moments else None
        case "column.mean":
            return moments.mean if moments and moments.count else None
        case "column.standard_deviation":
            return deviation(moments)
    return _of_distinct(name, set(kwargs.get("value_set") or ()), set(column.distinct or ()))


def _of_distinct(name: str, expected: set[Any], found: set[Any]) -> Any:
    values = found - expected if ".not_in_set" in name else expected - found
    if name == "column.distinct_values.count":
        values = found
    return len(values) if name.endswith(".count") else sorted(values, key=str)


def _instant(text: Any) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text).replace(tzinfo=None)

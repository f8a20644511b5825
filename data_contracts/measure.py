"""Measuring one partition for everything that is judged over the whole dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Column, Contract, KeyRule, TableRule
from data_contracts.expectation_plan import statistics_needed
from data_contracts.measurements import DISTINCT_LIMIT, ColumnMeasure, CustomCounts, Measurements, Moments
from data_contracts.parsing import ParsedTable, decoded
from data_contracts.repair import is_null_marker, own_form
from data_contracts.row_rules import BrokenRules
from data_contracts.scalars import arrow_values

_YES = pa.scalar(value=True)

Mask: TypeAlias = pa.Array | pa.ChunkedArray


def measure_partition(
    parsed: ParsedTable, broken: BrokenRules, contract: Contract, custom: Mapping[str, CustomCounts]
) -> Measurements:
    """Measure one partition.

    Args:
        parsed: The partition, with every column of the contract.
        broken: What `broken_rules` found in it.
        contract: The rules.
        custom: What Great Expectations counted in it, by rule; see `data_contracts.custom.custom_counts`.
    """
    needed = statistics_needed(contract)
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
        keyless={rule.id: _keyless(rule, parsed) for rule in contract.key_rules if len(rule.columns) > 1},
        custom=custom,
    )


def _keyless(rule: KeyRule, parsed: ParsedTable) -> int:
    parts = [parsed.table.column(name) for name in rule.columns]
    masks = [values.is_null() for values in parts if values.null_count]
    return int(pc.sum(reduce(pc.or_, masks)).as_py()) if masks else 0


def counted_rows(rule: TableRule, parsed: ParsedTable, contract: Contract) -> Mask:
    """Return a mask of the rows that `nullValues`, `missingValues` or `invalidValues` counts.

    A rule over several columns counts a row once, where any of them is null, missing or invalid.
    """
    plain = replace(parsed, table=pa.table({name: decoded(parsed.table.column(name)) for name in rule.columns}))
    masks = [_COUNTED[rule.metric](rule, plain, contract, name) for name in rule.columns]
    return reduce(pc.or_, masks)


def _measure_column(parsed: ParsedTable, name: str, needed: set[str]) -> ColumnMeasure:
    values = parsed.table.column(name)
    if needed:
        values = decoded(values)
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
    # Reading turns every null marker into null, so a list that names one of them counts the nulls.
    blank = [value for value in listed if value is None or _is_marker(value, column)]
    others = arrow_values([value for value in listed if value not in blank], column)
    held = pc.is_in(parsed.table.column(name), value_set=others)
    return pc.or_(_count_null(rule, parsed, contract, name), held) if blank else held


def _is_marker(value: Any, column: Column) -> bool:
    return isinstance(value, str) and is_null_marker(own_form(value, column.repair), column)


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

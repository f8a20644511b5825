"""Expectations about single rows that Arrow counts as Great Expectations would, in the pass over all rules.

Only where the arguments leave no doubt: everything else is left to the library itself. A property test compares the
two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Column, Contract, ExpectationRule
from data_contracts.measurements import CUSTOM_EXAMPLES, CustomCounts
from data_contracts.parsing import ParsedTable
from data_contracts.row_rules import MASK, is_secret
from data_contracts.scalars import arrow_value

Values: TypeAlias = pa.ChunkedArray
_NO = pa.scalar(value=False)
_NUMBERS = {"integer", "number"}
_INSTANTS = {"date", "timestamp"}
NON_NULL = "column_values.nonnull"
METRICS: Mapping[str, str] = {
    "expect_column_values_to_not_be_null": NON_NULL,
    "expect_column_values_to_be_null": "column_values.null",
    "expect_column_values_to_be_between": "column_values.between",
    "expect_column_values_to_be_in_set": "column_values.in_set",
    "expect_column_values_to_not_be_in_set": "column_values.not_in_set",
    "expect_column_value_lengths_to_be_between": "column_values.value_length.between",
    "expect_column_value_lengths_to_equal": "column_values.value_length.equals",
    "expect_column_values_to_match_regex": "column_values.match_regex",
    "expect_column_values_to_not_match_regex": "column_values.not_match_regex",
}


def has_row_form(rule: ExpectationRule, contract: Contract) -> bool:
    """Tell whether `count_rows` can count an expectation."""
    column = next((column for column in contract.columns if column.name == rule.kwargs.get("column")), None)
    if column is None or rule.type not in METRICS or rule.kwargs.get("row_condition"):
        return False
    return _SERVES[rule.type](rule.kwargs, column)


def count_rows(rule: ExpectationRule, parsed: ParsedTable, contract: Contract) -> CustomCounts:
    """Count the unexpected rows of one partition, and keep the first of their values.

    Args:
        rule: An expectation for which `has_row_form` holds.
        parsed: The partition.
        contract: The rules.
    """
    column = contract.column(rule.kwargs["column"])
    values = parsed.table.column(column.name)
    held = _HOLDS[rule.type](values, rule.kwargs, column)
    broken = pc.invert(held).fill_null(_NO)
    metric = METRICS[rule.type]
    count = int(pc.sum(broken).as_py() or 0)
    counts = {f"{metric}.unexpected_count": count, "table.row_count": len(values)}
    counts.setdefault(f"{NON_NULL}.unexpected_count", values.null_count)
    shown = min(count, CUSTOM_EXAMPLES)
    if is_secret(column) and metric != NON_NULL:
        return CustomCounts(counts=counts, unexpected=(MASK,) * shown)
    found = _flat(values.filter(broken).slice(0, shown)) if shown else []
    return CustomCounts(counts=counts, unexpected=tuple(found))


def _flat(values: Values) -> list[Any]:
    if pa.types.is_temporal(values.type):
        stamps = values.cast(pa.timestamp("us")).to_pylist()
        return [None if stamp is None else stamp.isoformat() for stamp in stamps]
    return list(values.to_pylist())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _serves_between(kwargs: Mapping[str, Any], column: Column) -> bool:
    bounds = [kwargs[key] for key in ("min_value", "max_value") if kwargs.get(key) is not None]
    if column.logical_type in _INSTANTS:
        try:
            bounds = [arrow_value(bound, column).as_py() for bound in bounds]
        except ValueError:
            return False
    elif column.logical_type not in _NUMBERS or not all(_is_number(bound) and abs(bound) < 2**63 for bound in bounds):
        return False
    return bool(bounds) and bounds == sorted(bounds)


def _serves_set(kwargs: Mapping[str, Any], column: Column) -> bool:
    kinds: Mapping[str, Callable[[Any], bool]] = {
        "string": lambda value: isinstance(value, str),
        "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53,
        "number": _is_number,
    }
    allowed = kwargs.get("value_set")
    fits = kinds.get(column.logical_type)
    return fits is not None and isinstance(allowed, list) and bool(allowed) and all(map(fits, allowed))


def _serves_lengths(kwargs: Mapping[str, Any], column: Column) -> bool:
    given = [kwargs[key] for key in ("min_value", "max_value", "value") if kwargs.get(key) is not None]
    whole = all(isinstance(length, int) and not isinstance(length, bool) for length in given)
    return column.logical_type == "string" and bool(given) and whole and given == sorted(given)


def _serves_regex(kwargs: Mapping[str, Any], column: Column) -> bool:
    if column.logical_type != "string" or not isinstance(kwargs.get("regex"), str):
        return False
    try:
        _contains(pa.array(["a"]), kwargs["regex"])
    except (re.error, pa.ArrowInvalid):
        return False
    return True


def _between(values: Values, kwargs: Mapping[str, Any], column: Column) -> Values:
    if column.logical_type == "date":
        values = values.cast(pa.timestamp("us", tz="UTC"))
    instants = column.logical_type in _INSTANTS
    bounds = {
        key: arrow_value(kwargs[key], column).cast(values.type) if instants else kwargs[key]
        for key in ("min_value", "max_value")
        if kwargs.get(key) is not None
    }
    return _inside(values, {**kwargs, **bounds})


def _inside(values: Values, kwargs: Mapping[str, Any]) -> Values:
    held = None
    for key, strict, above, beyond in (
        ("min_value", "strict_min", pc.greater_equal, pc.greater),
        ("max_value", "strict_max", pc.less_equal, pc.less),
    ):
        if kwargs.get(key) is not None:
            side = (beyond if kwargs.get(strict) else above)(values, kwargs[key])
            held = side if held is None else pc.and_(held, side)
    return held


def _lengths(values: Values, kwargs: Mapping[str, Any], column: Column) -> Values:  # noqa: ARG001
    def judge(texts: pa.Array) -> pa.Array:
        lengths = pc.utf8_length(texts)
        return pc.equal(lengths, kwargs["value"]) if "value" in kwargs else _inside(lengths, kwargs)

    return _by_distinct(values, judge)


def _in_set(values: Values, kwargs: Mapping[str, Any], column: Column) -> Values:
    if column.logical_type == "string":
        allowed = pa.array(kwargs["value_set"], pa.string())
        held = _by_distinct(values, lambda texts: pc.is_in(texts, value_set=allowed))
    else:
        kind = float if column.logical_type == "number" else int
        held = pc.is_in(values, value_set=pa.array(map(kind, kwargs["value_set"]), values.type))
    return pc.if_else(values.is_valid(), held, pa.scalar(None, pa.bool_()))


def _matches(values: Values, kwargs: Mapping[str, Any], column: Column) -> Values:  # noqa: ARG001
    return _by_distinct(values, lambda texts: _contains(texts, kwargs["regex"]))


def _contains(texts: pa.Array, regex: str) -> pa.Array:
    # The library asks pandas, whose syntax falls back to Python's where RE2 lacks a feature. Few contracts need it.
    import pandas as pd  # noqa: PLC0415

    return pa.array(pd.Series(texts.to_pandas(), dtype="str").str.contains(regex).to_numpy(bool))


def _by_distinct(values: Values, judge: Callable[[pa.Array], pa.Array]) -> Values:
    """Judge every distinct text once; a null stays null."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    chunks = [judge(chunk.dictionary).take(chunk.indices) for chunk in encoded.chunks]
    return pa.chunked_array(chunks, pa.bool_())


def _without(holds: Callable[[Values, Mapping[str, Any], Column], Values]) -> Callable[..., Values]:
    return lambda values, kwargs, column: pc.invert(holds(values, kwargs, column))


_SERVES: Mapping[str, Callable[[Mapping[str, Any], Column], bool]] = {
    "expect_column_values_to_not_be_null": lambda *_: True,
    "expect_column_values_to_be_null": lambda *_: True,
    "expect_column_values_to_be_between": _serves_between,
    "expect_column_values_to_be_in_set": _serves_set,
    "expect_column_values_to_not_be_in_set": _serves_set,
    "expect_column_value_lengths_to_be_between": _serves_lengths,
    "expect_column_value_lengths_to_equal": _serves_lengths,
    "expect_column_values_to_match_regex": _serves_regex,
    "expect_column_values_to_not_match_regex": _serves_regex,
}
_HOLDS: Mapping[str, Callable[[Values, Mapping[str, Any], Column], Values]] = {
    "expect_column_values_to_not_be_null": lambda values, *_: values.is_valid(),
    "expect_column_values_to_be_null": lambda values, *_: values.is_null(),
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _without(_in_set),
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_value_lengths_to_equal": _lengths,
    "expect_column_values_to_match_regex": _matches,
    "expect_column_values_to_not_match_regex": _without(_matches),
}

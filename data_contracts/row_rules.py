"""Checking every row against the rules that one row can break by itself: one vectorised pass over each column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Column, Contract, RowRule
from data_contracts.formats import STRING_FORMATS, number_range
from data_contracts.parsing import ARROW_TYPES, ParsedTable
from data_contracts.scalars import arrow_value, arrow_values

EXAMPLES = 5
MASK = "***"
_LONGEST = 80
_SECRET = frozenset({"restricted", "confidential"})
# A quotient counts as whole within this share of itself, some rounding errors of float64, so that 0.3 is a multiple
# of 0.1.
WHOLE = 1e-15
_NO = pa.scalar(value=False)


@dataclass(frozen=True)
class BrokenRules:
    """Which row rules the rows of one partition break.

    Attributes:
        first: int16 [rows], index into `contract.row_rules` of the first rule that each row breaks, -1 for none.
        counts: Rows that break each rule, whether or not they broke another before; every rule has its entry.
        examples: For each broken rule at most five values as text, `***` where the column is confidential.
    """

    first: np.ndarray
    counts: dict[str, int]
    examples: dict[str, tuple[str, ...]]


def broken_rules(parsed: ParsedTable, contract: Contract) -> BrokenRules:
    """Check every row against every row rule.

    A null breaks `required` alone. A value that cannot be read breaks `type` alone. `pattern` is searched for, as
    JSON Schema does, so `^` and `$` are needed to match the whole text; lengths count code points.

    Args:
        parsed: One partition. Rules of columns that it leaves out are not checked.
        contract: The rules.
    """
    first = np.full(parsed.table.num_rows, -1, np.int16)
    counts = dict.fromkeys((rule.id for rule in contract.row_rules), 0)
    examples: dict[str, tuple[str, ...]] = {}
    columns = {column.name: column for column in contract.columns}
    present = set(parsed.table.column_names)
    for index, rule in enumerate(contract.row_rules):
        if rule.column not in present:
            continue
        broken = _broken(rule, parsed, columns[rule.column])
        if broken is None or not (count := pc.sum(broken).as_py()):
            continue
        counts[rule.id] = count
        rows = np.flatnonzero(broken.to_numpy(zero_copy_only=False))
        first[rows[first[rows] < 0]] = index
        examples[rule.id] = _examples(rule, parsed, columns[rule.column], rows)
    return BrokenRules(first, counts, examples)


def is_secret(column: Column) -> bool:
    """Tell whether a column's values must not be shown."""
    return (column.classification or "").lower() in _SECRET


def as_texts(values: pa.ChunkedArray) -> list[str]:
    """Write values as text; timestamps beyond the year 9999, which Python does not have, included."""
    if pa.types.is_floating(values.type):
        return [str(value) for value in values.to_pylist()]
    return list(values.cast(pa.string()).to_pylist())


def _broken(rule: RowRule, parsed: ParsedTable, column: Column) -> pa.Array | None:
    """Return a mask without nulls of the rows that break a rule, or None where no row can."""
    values = parsed.table.column(rule.column)
    unreadable = parsed.unreadable.get(rule.column)
    if rule.kind == "type":
        return unreadable
    if rule.kind == "required":
        if not values.null_count:
            return None
        return values.is_null() if unreadable is None else pc.and_not(values.is_null(), unreadable)
    if values.null_count == len(values):
        return None
    if pa.types.is_dictionary(values.type):
        return _broken_words(rule, values.chunk(0), column)
    return pc.invert(_HOLDS[rule.kind](values, rule.argument, column)).fill_null(_NO)


def _broken_words(rule: RowRule, values: pa.DictionaryArray, column: Column) -> pa.Array | None:
    """Judge every distinct string once."""
    held = _HOLDS[rule.kind](values.dictionary, rule.argument, column)
    broken = pc.invert(held).to_numpy(zero_copy_only=False)
    if not broken.any():
        return None
    found = broken[values.indices.fill_null(0).to_numpy(zero_copy_only=False)]
    return pa.array(found & values.is_valid().to_numpy(zero_copy_only=False) if values.null_count else found)


def _examples(rule: RowRule, parsed: ParsedTable, column: Column, rows: np.ndarray) -> tuple[str, ...]:
    shown = min(len(rows), EXAMPLES)
    if rule.kind == "required":
        return ("null",) * shown
    if is_secret(column):
        return (MASK,) * shown
    if rule.kind == "type":
        return tuple(_shorten(text) for text in parsed.unreadable_texts.get(rule.column, ()))
    return tuple(_shorten(text) for text in as_texts(parsed.table.column(rule.column).take(rows[:shown])))


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _in_enum(values: pa.ChunkedArray, allowed: Any, column: Column) -> pa.ChunkedArray:
    held = pc.is_in(values, value_set=arrow_values(allowed, column))
    return pc.or_kleene(held, values.is_null())


def _in_format(values: pa.ChunkedArray, name: str, column: Column) -> pa.ChunkedArray:
    if column.logical_type == "string":
        return pc.match_substring_regex(values, STRING_FORMATS[name])
    least, greatest = number_range(name)
    if column.logical_type == "integer":
        least, greatest = max(least, -(2**63)), min(greatest, 2**63 - 1)
    kind = ARROW_TYPES[column.logical_type]
    return pc.and_(pc.greater_equal(values, pa.scalar(least, kind)), pc.less_equal(values, pa.scalar(greatest, kind)))


def _is_multiple(values: pa.ChunkedArray, factor: float, column: Column) -> pa.ChunkedArray:
    if column.logical_type == "integer" and float(factor).is_integer():
        step = pa.scalar(int(factor), pa.int64())
        return pc.equal(values, pc.multiply(pc.divide(values, step), step))
    quotient = pc.divide(values.cast(pa.float64(), safe=False), pa.scalar(float(factor)))
    distance = pc.abs(pc.subtract(quotient, pc.round(quotient)))
    whole = pc.less_equal(distance, pc.multiply(pc.abs(quotient), WHOLE))
    # So large that the quotient overflows, every float64 is a multiple of a fraction.
    return pc.or_(whole, pc.is_inf(quotient))


def _compare(function: Callable[[Any, Any], Any]) -> Callable[[pa.ChunkedArray, Any, Column], pa.ChunkedArray]:
    def holds(values: pa.ChunkedArray, bound: Any, column: Column) -> pa.ChunkedArray:
        return function(values, arrow_value(bound, column))

    return holds


_HOLDS: Mapping[str, Callable[[pa.ChunkedArray, Any, Column], pa.ChunkedArray]] = {
    "enum": _in_enum,
    "minimum": _compare(pc.greater_equal),
    "maximum": _compare(pc.less_equal),
    "exclusive_minimum": _compare(pc.greater),
    "exclusive_maximum": _compare(pc.less),
    "multiple_of": _is_multiple,
    "pattern": lambda values, pattern, _: pc.match_substring_regex(values, pattern),
    "min_length": lambda values, length, _: pc.greater_equal(pc.utf8_length(values), length),
    "max_length": lambda values, length, _: pc.less_equal(pc.utf8_length(values), length),
    "format": _in_format,
}

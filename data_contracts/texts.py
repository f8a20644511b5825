"""Reading texts, already put right, as numbers, booleans, dates and timestamps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.codes import masked
from data_contracts.contract import Column
from data_contracts.instants import DAY
from data_contracts.repair import plain_numbers, read_dates

_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
# A column of whole numbers with nulls is often written with `.0` by tools that keep it as floats.
_INTEGER = r"^[+-]?[0-9]+(?:\.0*)?$"
_TRUE, _FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")
_INT64_MAX, _INT64_MIN = 2**63 - 1, -(2**63)
_YES = pa.scalar(value=True)
_TIMESTAMP = pa.timestamp("us", tz="UTC")


def _text_to_number(words: pa.Array, column: Column) -> pa.Array:
    words = plain_numbers(words, column.repair)
    plain = pc.replace_substring_regex(_matching(words, _NUMBER), r"^\+", "")
    values = plain.cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))


def _text_to_integer(words: pa.Array, column: Column) -> pa.Array:
    words = plain_numbers(words, column.repair)
    digits = pc.replace_substring_regex(_matching(words, _INTEGER), r"^\+|\.0*$", "")
    short = pc.less_equal(pc.utf8_length(digits), 18)
    values = pc.if_else(short, digits, pa.scalar(None, pa.string())).cast(pa.int64())
    if pc.all(short.fill_null(_YES)).as_py():
        return values
    numbers = [None if text is None else int(text) for text in digits.to_pylist()]
    fits = [None if number is None or not _INT64_MIN <= number <= _INT64_MAX else number for number in numbers]
    return pa.array(fits, pa.int64())


def _text_to_boolean(words: pa.Array, column: Column) -> pa.Array:  # noqa: ARG001
    lower = pc.utf8_lower(words)
    yes, no = pc.is_in(lower, value_set=pa.array(_TRUE)), pc.is_in(lower, value_set=pa.array(_FALSE))
    return pc.if_else(pc.or_(yes, no), yes, pa.scalar(None, pa.bool_()))


def _text_to_instant(words: pa.Array, column: Column) -> pa.Array:
    micros, ok = read_dates(words, column)
    return whole_instants(micros, ok, column)


def _matching(words: pa.Array, pattern: str) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(words, pattern), words, pa.scalar(None, pa.string()))


def whole_instants(micros: np.ndarray, ok: np.ndarray, column: Column) -> pa.Array:
    """Return moments as the column's type; a date is a moment at midnight, and any other is null.

    Args:
        micros: int64 [N], microseconds since 1970 UTC.
        ok: bool [N], which are moments; the others are null.
        column: A date or timestamp column.
    """
    if column.logical_type == "timestamp":
        return masked(np.where(ok, micros, 0), ok, _TIMESTAMP)
    whole = ok & (micros % DAY == 0)
    return masked(np.where(whole, micros // DAY, 0).astype(np.int32), whole, pa.date32())


# Of each type: texts in, values of the same length out, null where a text cannot be read.
TEXT_READERS: Mapping[str, Callable[[pa.Array, Column], pa.Array]] = {
    "integer": _text_to_integer,
    "number": _text_to_number,
    "boolean": _text_to_boolean,
    "date": _text_to_instant,
    "timestamp": _text_to_instant,
}

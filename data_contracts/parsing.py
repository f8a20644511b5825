"""Reading raw columns, of whatever Arrow type, as the contract's logical types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Column, Contract, LogicalType
from data_contracts.errors import SchemaMismatchError
from data_contracts.instants import DAY, read_instants

NULL_MARKERS = frozenset({"", "na", "n/a", "null", "none", "nan"})
ARROW_TYPES: Mapping[LogicalType, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}

_EXAMPLES = 5
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
# A column of whole numbers with nulls is often written with `.0` by tools that keep it as floats.
_INTEGER = r"^[+-]?[0-9]+(?:\.0*)?$"
_TRUE, _FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")
_INT64_MAX, _INT64_MIN = 2**63 - 1, -(2**63)
_NO, _YES = pa.scalar(value=False), pa.scalar(value=True)

# The values of a column in its type, null where there is none or it cannot be read, and which could not be read.
_Read = tuple[pa.Array, pa.Array]


@dataclass(frozen=True)
class ParsedTable:
    """A table in the contract's types.

    Attributes:
        table: The contract's columns, in its order, each one chunk of the type in `ARROW_TYPES`.
        unreadable: For each column that has any: a bool mask [rows] of the values that cannot be read as its type.
            They are null in `table`.
        unreadable_texts: At most five of those values, as text.
    """

    table: pa.Table
    unreadable: Mapping[str, pa.Array]
    unreadable_texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def parse_table(raw: pa.Table, contract: Contract, columns: Sequence[str] | None = None) -> ParsedTable:
    """Read a raw table as the contract's types.

    Text is trimmed; an empty text and the markers NA, N/A, NULL, NONE and NaN (in any case) are null unless the
    column's `enum` names them. NaN is null. An infinity is unreadable. A timestamp without a zone is taken in the
    column's `defaultTimezone`, else UTC. Which values can be read does not depend on the values beside them, so
    every partitioning of a dataset gives the same.

    Args:
        raw: The table as its file holds it; further columns are left out.
        contract: What the columns should be.
        columns: The columns to read (contract order is kept); all by default.

    Raises:
        SchemaMismatchError: A column is missing, or its Arrow type cannot hold the logical type.
    """
    wanted = [column for column in contract.columns if columns is None or column.name in columns]
    _require_columns(raw, wanted, contract)
    arrays: list[pa.Array] = []
    unreadable: dict[str, pa.Array] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for column in wanted:
        source = raw.column(column.name).combine_chunks()
        values, bad = _read_column(source, column)
        arrays.append(values)
        if pc.any(bad).as_py():
            unreadable[column.name] = bad
            texts[column.name] = tuple(source.filter(bad).slice(0, _EXAMPLES).cast(pa.string()).to_pylist())
    return ParsedTable(pa.table(arrays, names=[column.name for column in wanted]), unreadable, texts)


def _require_columns(raw: pa.Table, wanted: Sequence[Column], contract: Contract) -> None:
    missing = [column.name for column in wanted if column.name not in raw.column_names]
    if missing:
        raise SchemaMismatchError(
            f"contract {contract.name} ({contract.path}): the table lacks the columns {', '.join(missing[:5])}"
            f"{' ...' if len(missing) > 5 else ''}; it has {', '.join(raw.column_names[:20])}\n"
            "  do: name the columns in the contract as the data does, or take them out of the contract"
        )


def _read_column(source: pa.Array, column: Column) -> _Read:
    if isinstance(source, pa.ChunkedArray):
        source = pa.concat_arrays(source.chunks) if source.num_chunks else pa.array([], source.type)
    target = ARROW_TYPES[column.logical_type]
    if pa.types.is_null(source.type):
        return pa.nulls(len(source), target), _none_bad(len(source))
    if pa.types.is_dictionary(source.type) and not _is_text(source.type.value_type):
        source = source.dictionary_decode()
    if pa.types.is_dictionary(source.type) or _is_text(source.type):
        return _read_text(source, column)
    if pa.types.is_decimal(source.type):
        return _read_text(source.cast(pa.string()), column)
    read = _READERS.get(column.logical_type)
    result = read(source, column) if read is not None and _is_plain(source.type) else None
    if result is None:
        raise SchemaMismatchError(
            f"column {column.name}: the data has Arrow type {source.type}, which cannot be read as "
            f"{column.logical_type}\n  do: change the column's logicalType, or write the data in another type"
        )
    return result


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
    )


def _none_bad(rows: int) -> pa.Array:
    return pa.array(np.zeros(rows, np.bool_))


def _read_text(source: pa.Array, column: Column) -> _Read:
    # Every distinct text is read once: most columns repeat few, and reading is the dearest part of a CSV's way in.
    encoded = source if pa.types.is_dictionary(source.type) else source.dictionary_encode()
    words = pc.utf8_trim_whitespace(encoded.dictionary.cast(pa.string()))
    named = pa.array([str(value) for value in column.enum or ()], pa.string())
    marker = pc.and_not(
        pc.is_in(pc.utf8_lower(words), value_set=pa.array(sorted(NULL_MARKERS))), pc.is_in(words, value_set=named)
    )
    words = pc.if_else(marker, pa.scalar(None, pa.string()), words)
    values = _TEXT_READERS[column.logical_type](words, column)
    bad = pc.and_(words.is_valid(), values.is_null())
    return values.take(encoded.indices), bad.take(encoded.indices).fill_null(_NO)


def _text_to_string(words: pa.Array, column: Column) -> pa.Array:  # noqa: ARG001
    return words


def _text_to_number(words: pa.Array, column: Column) -> pa.Array:  # noqa: ARG001
    plain = pc.replace_substring_regex(_matching(words, _NUMBER), r"^\+", "")
    values = plain.cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))


def _text_to_integer(words: pa.Array, column: Column) -> pa.Array:  # noqa: ARG001
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
    micros, ok = read_instants(words, column.options.get("format"), column.options.get("defaultTimezone", "UTC"))
    return _instants(micros, ok, column)


def _matching(words: pa.Array, pattern: str) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(words, pattern), words, pa.scalar(None, pa.string()))


def _instants(micros: np.ndarray, ok: np.ndarray, column: Column) -> pa.Array:
    if column.logical_type == "timestamp":
        return pa.array(micros, mask=~ok).cast(ARROW_TYPES["timestamp"])
    whole = ok & (micros % DAY == 0)
    return pa.array((micros // DAY).astype(np.int32), mask=~whole).cast(pa.date32())


def _to_string(source: pa.Array, column: Column) -> _Read:
    if pa.types.is_floating(source.type):
        source = pc.if_else(pc.is_nan(source), pa.scalar(None, source.type), source)
    return _read_text(source.cast(pa.string()), column)


def _to_number(source: pa.Array, column: Column) -> _Read | None:  # noqa: ARG001
    if pa.types.is_temporal(source.type):
        return None
    values = source.cast(pa.float64(), safe=False)
    finite = pc.is_finite(values)
    bad = pc.is_inf(values).fill_null(_NO)
    return pc.if_else(finite, values, pa.scalar(None, pa.float64())), bad


def _to_integer(source: pa.Array, column: Column) -> _Read | None:  # noqa: ARG001
    if pa.types.is_temporal(source.type):
        return None
    if pa.types.is_floating(source.type):
        floats = source.cast(pa.float64())
        whole = pc.and_(pc.equal(pc.floor(floats), floats), pc.less(pc.abs(floats), 2.0**63)).fill_null(_NO)
        bad = pc.and_not(pc.invert(pc.is_nan(floats)), whole).fill_null(_NO)
        return pc.if_else(whole, floats, pa.scalar(None, pa.float64())).cast(pa.int64(), safe=False), bad
    if pa.types.is_uint64(source.type):
        fits = pc.less_equal(source, pa.scalar(_INT64_MAX, pa.uint64()))
        return pc.if_else(fits, source, pa.scalar(None, pa.uint64())).cast(pa.int64()), pc.invert(fits).fill_null(_NO)
    return source.cast(pa.int64()), _none_bad(len(source))


def _to_boolean(source: pa.Array, column: Column) -> _Read | None:  # noqa: ARG001
    if pa.types.is_temporal(source.type):
        return None
    if pa.types.is_boolean(source.type):
        return source, _none_bad(len(source))
    numbers = source.cast(pa.float64(), safe=False)
    yes, no = pc.equal(numbers, 1.0), pc.equal(numbers, 0.0)
    bad = pc.and_not(pc.invert(pc.is_nan(numbers)), pc.or_(yes, no)).fill_null(_NO)
    return pc.if_else(pc.or_(yes, no), yes, pa.scalar(None, pa.bool_())), bad


def _to_instant(source: pa.Array, column: Column) -> _Read | None:
    if not pa.types.is_temporal(source.type):
        return None
    if pa.types.is_timestamp(source.type) and source.type.tz is None:
        zone = column.options.get("defaultTimezone", "UTC")
        source = pc.assume_timezone(source, zone, ambiguous="earliest", nonexistent="earliest")
    valid = source.is_valid().to_numpy(zero_copy_only=False)
    stamps = source.cast(pa.timestamp("us", tz="UTC" if pa.types.is_timestamp(source.type) else None), safe=False)
    values = _instants(stamps.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), valid, column)
    return values, pc.and_(pa.array(valid), values.is_null())


_TEXT_READERS = {
    "string": _text_to_string,
    "integer": _text_to_integer,
    "number": _text_to_number,
    "boolean": _text_to_boolean,
    "date": _text_to_instant,
    "timestamp": _text_to_instant,
}
_READERS = {
    "string": _to_string,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "date": _to_instant,
    "timestamp": _to_instant,
}

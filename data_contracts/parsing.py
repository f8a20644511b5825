"""Reading raw columns, of whatever Arrow type, as the contract's logical types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.codes import joined_codes, masked, there
from data_contracts.contract import Column, Contract, LogicalType
from data_contracts.errors import SchemaMismatchError
from data_contracts.instants import DAY
from data_contracts.repair import repaired
from data_contracts.texts import TEXT_READERS, whole_instants

ARROW_TYPES: Mapping[LogicalType, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}

_EXAMPLES = 5
_SAMPLE = 1_000
_INT64_MAX = 2**63 - 1
# Microseconds of a unit of Arrow's timestamps, at least one.
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}
_NO = pa.scalar(value=False)

# The values of a column in its type, null where there is none or it cannot be read, and which could not be read (None:
# every one could).
_Read = tuple[pa.Array, pa.Array | None]


@dataclass(frozen=True)
class ParsedTable:
    """A table in the contract's types.

    Attributes:
        table: The contract's columns, in its order, each one chunk of the type in `ARROW_TYPES`; strings may be
            dictionaries of distinct strings without null.
        unreadable: For each column that has any: a bool mask [rows] of the values that cannot be read as its type.
            They are null in `table`.
        unreadable_texts: At most five of those values, as text.
    """

    table: pa.Table
    unreadable: Mapping[str, pa.Array]
    unreadable_texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def decoded(self) -> ParsedTable:
        """Return the same with every string column as plain strings."""
        return replace(self, table=decoded_table(self.table))


def decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column's plain values where it is a dictionary."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def plain_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return strings for views of strings, which some programs write and Arrow has few kernels for."""
    return column.cast(pa.string()) if pa.types.is_string_view(column.type) else column


def decoded_table(table: pa.Table) -> pa.Table:
    """Return a table with the plain values of every dictionary column."""
    if not any(pa.types.is_dictionary(kind) for kind in table.schema.types):
        return table
    columns = [decoded(column) for column in table.columns]
    return pa.table(columns, names=table.column_names).replace_schema_metadata(table.schema.metadata)


def parse_table(
    raw: pa.Table, contract: Contract, columns: Sequence[str] | None = None, *, dictionaries: bool = False
) -> ParsedTable:
    """Read a raw table as the contract's types.

    Text is put right as the column's `repair` says. By default it is trimmed; an empty text and the markers NA, N/A,
    NULL, NONE and NaN (in any case) are null unless the column's `enum` names them. NaN is null. An
    infinity is unreadable. A timestamp without a zone is taken in the column's `defaultTimezone`, else UTC. Which
    values can be read does not depend on the values beside them, so every partitioning of a dataset gives the same.

    Args:
        raw: The table as its file holds it; further columns are left out.
        contract: What the columns should be.
        columns: The columns to read (contract order is kept); all by default.
        dictionaries: Leave string columns that come as dictionaries in that form, for work on each distinct value.

    Raises:
        SchemaMismatchError: A column is missing, or its Arrow type cannot hold the logical type.
    """
    wanted = [column for column in contract.columns if columns is None or column.name in columns]
    _require_columns(raw, wanted, contract)
    arrays: list[pa.Array] = []
    unreadable: dict[str, pa.Array] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for column in wanted:
        source = plain_texts(raw.column(column.name))
        try:
            values, bad = _read_column(source, column)
        except pa.ArrowInvalid as error:
            raise SchemaMismatchError(
                f"column {column.name}: {error}\n  do: write the file anew, with text in UTF-8"
            ) from error
        arrays.append(values)
        if bad is not None and pc.any(bad).as_py():
            unreadable[column.name] = bad
            texts[column.name] = tuple(source.filter(bad).slice(0, _EXAMPLES).cast(pa.string()).to_pylist())
    table = pa.table(arrays, names=[column.name for column in wanted])
    return ParsedTable(table if dictionaries else decoded_table(table), unreadable, texts)


def _require_columns(raw: pa.Table, wanted: Sequence[Column], contract: Contract) -> None:
    there = set(raw.column_names)
    missing = [column.name for column in wanted if column.name not in there]
    if missing:
        raise SchemaMismatchError(
            f"contract {contract.name} ({contract.path}): the table lacks the columns {', '.join(missing[:5])}"
            f"{' ...' if len(missing) > 5 else ''}; it has {', '.join(raw.column_names[:20])}\n"
            "  do: name the columns in the contract as the data does, or take them out of the contract"
        )


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    # Combining copies even what is one chunk already.
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.unify_dictionaries().chunks) if column.num_chunks else pa.array([], column.type)


def _read_column(chunks: pa.ChunkedArray, column: Column) -> _Read:
    if column.logical_type == "string" and chunks.num_chunks and _is_words(chunks.type):
        words = [repaired(chunk.dictionary.cast(pa.string()), column) for chunk in chunks.chunks]
        return joined_codes(chunks.chunks, words), None
    source = _one_chunk(chunks)
    target = ARROW_TYPES[column.logical_type]
    if pa.types.is_null(source.type):
        return pa.nulls(len(source), target), None
    if pa.types.is_dictionary(source.type) and not _is_words(source.type):
        source = source.dictionary_decode()
    if pa.types.is_dictionary(source.type) or _is_text(source.type):
        return _read_text(source, column)
    if pa.types.is_decimal(source.type):
        # Arrow writes a decimal with a point, whatever separators the contract's texts have.
        plain = column.repair.model_copy(update={"thousands_separator": None, "decimal_separator": None})
        return _read_text(source.cast(pa.string()), column.model_copy(update={"repair": plain}))
    read = _READERS.get(column.logical_type)
    result = read(source, column) if read is not None and _is_plain(source.type) else None
    if result is None:
        raise SchemaMismatchError(
            f"column {column.name}: the data has Arrow type {source.type}, which cannot be read as "
            f"{column.logical_type}\n  do: change the column's logicalType, or write the data in another type"
        )
    return result


def _is_words(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind)) and _is_text(kind.value_type)


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


def _read_text(source: pa.Array, column: Column) -> _Read:
    if column.logical_type == "string" and not pa.types.is_dictionary(source.type):
        return repaired(source.cast(pa.string()), column), None
    if not pa.types.is_dictionary(source.type):
        if not _repeats(source):
            return _read_words(source.cast(pa.string()), column)
        source = source.dictionary_encode()
    # Every distinct text is read once: most columns repeat few, and reading is the dearest part of a CSV's way in.
    values, bad = _read_words(source.dictionary.cast(pa.string()), column)
    return values.take(source.indices), None if bad is None else bad.take(source.indices).fill_null(_NO)


def _read_words(texts: pa.Array, column: Column) -> _Read:
    words = repaired(texts, column)
    values = TEXT_READERS[column.logical_type](words, column)
    if values.null_count == words.null_count:
        return values, None
    return values, pc.and_(words.is_valid(), values.is_null())


def _repeats(source: pa.Array) -> bool:
    """Tell whether texts repeat; where nearly all differ, finding the few equal ones would not pay."""
    sample = source.slice(0, _SAMPLE)
    return 2 * pc.count_distinct(sample).as_py() < len(sample) or len(sample) < _SAMPLE


def _to_string(source: pa.Array, column: Column) -> _Read:
    if pa.types.is_floating(source.type):
        source = pc.if_else(pc.is_nan(source), pa.scalar(None, source.type), source)
    return _read_text(source.cast(pa.string()), column)


def _to_number(source: pa.Array, column: Column) -> _Read | None:  # noqa: ARG001
    if pa.types.is_temporal(source.type):
        return None
    values = source.cast(pa.float64(), safe=False)
    filled = values.fill_null(0.0) if values.null_count else values
    numbers = filled.to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore", invalid="ignore"):
        # One sum tells cheaply whether there is any NaN or infinity, which most columns never have.
        ordinary = bool(np.isfinite(numbers.sum()))
    if ordinary:
        return _with_zeros(values, filled), None
    finite = np.isfinite(numbers)
    held = finite & there(values) if values.null_count else finite
    bad = pa.array(np.isinf(numbers)) if np.isinf(numbers[~finite]).any() else None
    return masked(np.where(finite, numbers, 0.0), held, pa.float64()), bad


def _with_zeros(values: pa.Array, filled: pa.Array) -> pa.Array:
    """Return values with zeros under their nulls, so that what is written does not depend on what stood there."""
    if not values.null_count:
        return filled
    if values.offset:
        return pa.array(filled.to_numpy(), mask=values.is_null().to_numpy(zero_copy_only=False)).cast(values.type)
    buffers = [values.buffers()[0], filled.buffers()[1]]
    return pa.Array.from_buffers(values.type, len(values), buffers, values.null_count)


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
    whole_numbers = source.cast(pa.int64())
    return _with_zeros(whole_numbers, whole_numbers.fill_null(0)), None


def _to_boolean(source: pa.Array, column: Column) -> _Read | None:  # noqa: ARG001
    if pa.types.is_temporal(source.type):
        return None
    if pa.types.is_boolean(source.type):
        return source, None
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
    utc = pa.timestamp("us", tz="UTC" if pa.types.is_timestamp(source.type) else None)
    micros = source.cast(utc, safe=False).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    values = whole_instants(micros, valid & _in_microseconds(source), column)
    return values, pc.and_(pa.array(valid), values.is_null())


def _in_microseconds(source: pa.Array) -> np.ndarray:
    """Return which instants int64 can hold in microseconds, bool [N]; casting would let the others begin anew."""
    if pa.types.is_date32(source.type):
        unit, counts = DAY, source.cast(pa.int32())
    else:
        unit = _UNITS[source.type.unit if pa.types.is_timestamp(source.type) else "ms"]
        counts = source.cast(pa.int64())
    most = _INT64_MAX // unit
    found = counts.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray((found <= most) & (found >= -most))


_READERS = {
    "string": _to_string,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "date": _to_instant,
    "timestamp": _to_instant,
}

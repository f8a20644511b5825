"""Profiling a source: one ingest into a place of its own, then one pass over its partitions on Dask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from data_contracts.contract import Column, Contract, LogicalType
from data_contracts.repair import repaired
from tasks.data.ingest import run_ingest
from tasks.data.json_lines import json_names
from tasks.data.parquet import parquet_reader
from tasks.data.partitions import Partition, read_manifest, read_partition
from tasks.data.rewrite import arrow_reader, csv_header
from tasks.data.sources import SourceConfig, list_files
from tasks.engine import DaskConfig, merge_partitions, open_client
from tasks.errors import DataError
from tasks.preprocessing.columns import one_array
from tasks.profiling.column_profile import ColumnProfile, profile_texts, profile_values
from tasks.profiling.readings import Habits, possible_readings
from tasks.references import DatasetRef

# Rows from the beginning whose texts say which spellings are tried, and how many distinct texts of them are kept.
_LOOKED_AT, _KEPT = 5_000, 500

_KINDS: Mapping[LogicalType, tuple[Callable[[pa.DataType], bool], ...]] = {
    "boolean": (pa.types.is_boolean,),
    "integer": (pa.types.is_integer,),
    "number": (pa.types.is_floating, pa.types.is_decimal),
    "date": (pa.types.is_date,),
    "timestamp": (pa.types.is_timestamp,),
}

Profiles = Mapping[str, ColumnProfile]


@dataclass(frozen=True)
class Profiled:
    """A source, ingested and looked at.

    Attributes:
        raw: Its rows.
        columns: The profile of every column, in the source's order.
        left_out: Columns of types that no contract has, with their type in words.
        broken_rows: Rows that could not be split into fields.
    """

    raw: DatasetRef
    columns: Profiles
    left_out: Mapping[str, str]
    broken_rows: int


def run_profile(source: SourceConfig, home: Path, dask: DaskConfig) -> Profiled:
    """Ingest a source and profile every column of every row.

    Args:
        source: What `sniff` found.
        home: Where the rows are kept; a place that may be removed afterwards.
        dask: Where the work is done.

    Raises:
        DataError: The source has no row, no column that can be described, or cannot be read.
    """
    schema = _schema(source)
    twice = sorted(name for name, times in Counter(schema.names).items() if times > 1)
    if twice:
        raise DataError(f"{source.path}: the column `{twice[0]}` is there twice\n  do: rename one where it is written")
    if odd := next((name for name in schema.names if "{partition}" in name), None):
        raise DataError(
            f"{source.path}: the column `{odd}` cannot be named in a config, where {{partition}} stands for a part of "
            "the data\n  do: rename it where it is written"
        )
    kinds = {field.name: _kind(field.type) for field in schema}
    left_out = {name: str(schema.field(name).type) for name, kind in kinds.items() if kind is None}
    columns = tuple(Column(name=name, logical_type=kind) for name, kind in kinds.items() if kind is not None)
    if not columns:
        what = f"no column holds plain values ({', '.join(left_out.values())})" if left_out else "there is no column"
        raise DataError(f"{source.path}: {what}\n  do: write a table of texts, numbers and dates")
    draft = Contract(name="draft", version="1", path=source.path, digest="", columns=columns)
    raw = run_ingest(source, draft, home, dask)
    manifest = read_manifest(raw)
    plan = _plan(raw, manifest.partitions[0], columns, Habits(european=source.delimiter == ";"))
    with open_client(dask) as client:
        work = partial(_profile_partition, raw=raw, plan=plan)
        profiles = merge_partitions(client, work, list(manifest.partitions), _merge, label="profile")
    return Profiled(raw, profiles, left_out, manifest.broken_rows)


@dataclass(frozen=True)
class _Planned:
    """How a column is profiled."""

    column: Column
    readings: tuple[Column, ...]
    sample: tuple[str, ...]


def _plan(
    raw: DatasetRef, first: Partition, columns: tuple[Column, ...], habits: Habits
) -> tuple[_Planned, ...]:  # fmt: skip
    table = read_partition(raw.folder, first, [column.name for column in columns]).slice(0, _LOOKED_AT)
    planned = []
    for column in columns:
        sample: tuple[str, ...] = ()
        if column.logical_type == "string":
            with _naming_no_text(column.name):
                words = repaired(one_array(table[column.name]).cast(pa.string()).unique(), column)
            sample = tuple(words.drop_null().unique().slice(0, _KEPT).to_pylist())
        readings = possible_readings(column.name, sample, habits) if column.logical_type == "string" else (column,)
        planned.append(_Planned(column, readings, sample))
    return tuple(planned)


def _profile_partition(partition: Partition, *, raw: DatasetRef, plan: tuple[_Planned, ...]) -> Profiles:
    names = [each.column.name for each in plan]
    table = read_partition(raw.folder, partition, names, dictionaries=True)
    found = {}
    for each in plan:
        source = one_array(table[each.column.name])
        if pa.types.is_null(source.type):
            source = source.cast(pa.string())
        if pa.types.is_dictionary(source.type) and not _is_text(source.type.value_type):
            source = source.dictionary_decode()
        if each.column.logical_type == "string":
            texts = source if pa.types.is_dictionary(source.type) else source.cast(pa.string())
            with _naming_no_text(each.column.name):
                found[each.column.name] = profile_texts(texts, each.readings, each.sample)
        else:
            found[each.column.name] = profile_values(source, each.column)
    return found


@contextmanager
def _naming_no_text(column: str) -> Iterator[None]:
    """Say which column it is whose texts Arrow cannot read."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise DataError(f"column `{column}`: {error}\n  do: write the file anew, with text in UTF-8") from error


def _merge(earlier: Profiles, later: Profiles) -> Profiles:
    return {name: profile.merge(later[name]) for name, profile in earlier.items()}


def _schema(source: SourceConfig) -> pa.Schema:
    """Return the columns of the source's first file; ingest sees to it that the others are alike."""
    file = list_files(source)[0]
    if file.format == "csv":
        return pa.schema([(name, pa.string()) for name in csv_header(file, source)])
    if file.format == "jsonl":
        return pa.schema([(name, pa.string()) for name in json_names(file, source)])
    try:
        if file.format == "arrow":
            with arrow_reader(file.path) as arrow:
                return arrow.schema
        with parquet_reader(file.path) as parquet:
            return parquet.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{file.path}: not a whole {file.format} file: {error}\n  do: copy or write it again"
        ) from error


def plain_form(kind: str) -> str:
    """Return how values of an Arrow type, given in words, are written so that a contract can describe them."""
    if kind.startswith(("duration", "time")):
        return "write it as a number, say of seconds,"
    if kind.startswith(("binary", "large_binary", "fixed_size_binary")):
        return "write it as text"
    return "write what it holds as columns of their own"


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _kind(arrow: pa.DataType) -> LogicalType | None:
    """Return the logical type of an Arrow type; None where a contract has none for it."""
    if pa.types.is_dictionary(arrow):
        return _kind(arrow.value_type)
    if _is_text(arrow) or pa.types.is_null(arrow) or pa.types.is_uint64(arrow):
        return "string"
    return next((kind for kind, tests in _KINDS.items() if any(test(arrow) for test in tests)), None)

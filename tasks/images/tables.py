"""Encoded images in a column of Parquet or Arrow files, beside a column of labels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from serving.bundle.errors import RemoteError
from tasks.data.parquet import parquet_reader
from tasks.errors import DataError
from tasks.images.places import GroupRule, files_below
from tasks.images.records import FoundImages, ImageRecord
from tasks.images.table_labels import LabelKind, label_kind, names_in_order, require_few, require_one_kind
from tasks.storage import is_remote, place

_SUFFIXES = {"parquet": (".parquet", ".pq"), "arrow": (".arrow", ".feather", ".ipc")}
# Encoded images in memory at a time.
_BATCH = 64
_STREAM_BUFFER = 1 << 20


@dataclass(frozen=True)
class TableColumns:
    """Names of the columns that are read."""

    image: str
    label: str
    group: str | None

    @property
    def all(self) -> list[str]:
        """Every name, once."""
        return list(dict.fromkeys([self.image, self.label, *([self.group] if self.group is not None else [])]))


@dataclass(frozen=True)
class TablePiece:
    """Rows `start` to `stop` of a file; `group` is what its name says."""

    name: str
    path: str
    columns: TableColumns
    start: int
    stop: int
    group: str | None

    def records(self) -> Iterator[ImageRecord]:
        """Yield a row at a time, a few rows in memory.

        Raises:
            DataError: The file is torn.
        """
        with _reading(self.name):
            for first, batch in _batches(place(self.path), self.columns.all, self.start, self.stop):
                images, labels = _encoded(batch.column(self.columns.image)), batch.column(self.columns.label)
                groups = _texts(batch, self.columns.group, self.group)
                for row, content in enumerate(images):
                    label = labels[row].as_py()
                    label = str(label).lower() if isinstance(label, bool) else label
                    yield ImageRecord(self.name, first + row + 1, label, groups[row], content.as_py())


def find_tables(
    path: str, kind: Literal["parquet", "arrow"], columns: TableColumns, group: GroupRule, rows_per_piece: int
) -> FoundImages:
    """Find the files, check their columns and collect the labels; no image is read.

    Args:
        path: A file or a folder.
        kind: What the files are.
        columns: What is read.
        group: What a file's name says of its group.
        rows_per_piece: The most rows of a piece.

    Raises:
        DataError: Nothing is there, a file is torn, or lacks a column of the right type.
        SchemaDriftError: Labels of one file are of another type than those of another, or have other names.
    """
    root, files = files_below(path, _SUFFIXES[kind])
    pieces: list[TablePiece] = []
    labels: set[str | int] = set()
    kinds: dict[str, LabelKind] = {}
    for file in files:
        name = file.relative_to(root).as_posix()
        with _reading(name):
            schema = _schema(file)
            _require_columns(name, schema, columns)
            kinds[name] = label_kind(name, schema, columns.label)
            rows = 0
            for _, batch in _batches(file, [columns.label], 0, None):
                rows += batch.num_rows
                labels |= set(pc.unique(batch.column(0).drop_null()).to_pylist())
                require_few(name, columns.label, labels)
        said = group.of(name)
        pieces += [
            TablePiece(name, str(file), columns, start, min(start + rows_per_piece, rows), said)
            for start in range(0, rows, rows_per_piece)
        ]
    if not pieces:
        raise DataError(f"source {path}: the files hold no row\n  do: look at what wrote them")
    names = require_one_kind(columns.label, kinds).names
    return FoundImages(tuple(pieces), names or names_in_order(labels), by_position=bool(names))


def _require_columns(name: str, schema: pa.Schema, columns: TableColumns) -> None:
    missing = [each for each in columns.all if each not in schema.names]
    if missing:
        raise DataError(
            f"{name}: lacks column `{'`, `'.join(missing)}`; it has `{'`, `'.join(schema.names[:20])}`\n"
            "  do: mend `source.image_column`, `source.label_column` or `source.group_column`"
        )
    image, label = schema.field(columns.image).type, schema.field(columns.label).type
    if pa.types.is_struct(image):
        fields = {image.field(index).name: image.field(index).type for index in range(image.num_fields)}
        image = fields.get("bytes", image)
    if not (pa.types.is_binary(image) or pa.types.is_large_binary(image)):
        raise DataError(
            f"{name}: column `{columns.image}` is of type {image}; expected encoded bytes, or a struct with a field "
            "`bytes`\n  do: name the column of the images with `source.image_column`"
        )
    if pa.types.is_dictionary(label):
        label = label.value_type
    whole = pa.types.is_string(label) or pa.types.is_large_string(label) or pa.types.is_integer(label)
    if not (whole or pa.types.is_boolean(label)):
        raise DataError(
            f"{name}: column `{columns.label}` is of type {label}; a class is text, an integer or a boolean\n"
            "  do: name another column with `source.label_column`"
        )


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except RemoteError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{name}: cannot be read: {error}\n  do: copy or write the file again") from error


def _schema(path: Path) -> pa.Schema:
    if path.suffix in _SUFFIXES["parquet"]:
        with parquet_reader(path) as parquet:
            return parquet.schema_arrow
    with _mapped(path) as file, _arrow_reader(file) as reader:
        return reader.schema


def _mapped(path: Path) -> pa.NativeFile:
    # From an object store, a file in Arrow's format comes as a whole.
    return pa.BufferReader(path.read_bytes()) if is_remote(path) else pa.memory_map(str(path))


def _arrow_reader(file: pa.NativeFile) -> ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader:
    magic = file.read(6)
    file.seek(0)
    return ipc.open_file(file) if magic == b"ARROW1" else ipc.open_stream(file)


def _all_batches(path: Path, columns: list[str], start: int, stop: int | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield batches with the row each begins at; row groups that lie outside are skipped unread."""
    if path.suffix in _SUFFIXES["parquet"]:
        with parquet_reader(path, buffer_size=_STREAM_BUFFER) as parquet:
            first = 0
            for group in range(parquet.num_row_groups):
                rows = parquet.metadata.row_group(group).num_rows
                if first + rows > start and (stop is None or first < stop):
                    position = first
                    size = _BATCH if stop is not None else max(1, rows)
                    for batch in parquet.iter_batches(size, [group], columns, use_threads=False):
                        yield position, batch
                        position += batch.num_rows
                first += rows
        return
    with _mapped(path) as file, _arrow_reader(file) as reader:
        first = 0
        count = reader.num_record_batches if isinstance(reader, ipc.RecordBatchFileReader) else None
        arrow = (reader.get_batch(index) for index in range(count)) if count is not None else iter(reader)
        for batch in arrow:
            yield first, batch.select(columns)
            first += batch.num_rows


def _batches(path: Path, columns: list[str], start: int, stop: int | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows `start` to `stop` in batches, with the row each begins at."""
    for first, batch in _all_batches(path, columns, start, stop):
        lower = max(start - first, 0)
        upper = batch.num_rows if stop is None else min(stop - first, batch.num_rows)
        if lower < upper:
            yield first + lower, batch.slice(lower, upper - lower)


def _encoded(column: pa.Array) -> pa.Array:
    return pc.struct_field(column, "bytes") if pa.types.is_struct(column.type) else column


def _texts(batch: pa.RecordBatch, column: str | None, otherwise: str | None) -> list[str | None]:
    if column is None:
        return [otherwise] * batch.num_rows
    return [None if value is None else str(value) for value in batch.column(column).to_pylist()]

"""Rewriting source files as Parquet in small row groups, in bounded memory."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from serving.bundle.errors import RemoteError
from tasks.data.parquet import parquet_reader, parquet_writer
from tasks.data.partitions import Partition
from tasks.data.sizing import TARGET_BYTES
from tasks.data.sources import SourceConfig, SourceFile
from tasks.data.unclosed import LastRow, require_closed
from tasks.errors import DataError
from tasks.storage import is_remote

BROKEN_ROWS = "broken"

_BLOCK = 4 << 20
_BROKEN_AT_ONCE = 65_536
_BROKEN_SCHEMA = pa.schema([("source_file", pa.string()), ("source_row", pa.int64()), ("source_text", pa.string())])


@dataclass
class Rewritten:
    """What was written for one source file.

    Attributes:
        partitions: The row groups, in order.
        broken_rows: CSV rows with too few or too many fields.
        paths: Every file written, relative to the dataset's folder.
    """

    partitions: list[Partition] = field(default_factory=list)
    broken_rows: int = 0
    paths: list[str] = field(default_factory=list)


def csv_header(file: SourceFile, source: SourceConfig) -> list[str]:
    """Return the names in a CSV file's first row.

    Raises:
        DataError: The first row is blank or not in the encoding.
    """
    try:
        with open_text(file, source.encoding) as text:
            header = next(csv.reader(text, delimiter=source.delimiter, quotechar=source.quote), [])
    except RemoteError:
        raise
    except (UnicodeError, LookupError, OSError, EOFError, csv.Error) as error:
        raise unreadable(file, error) from error
    if source.columns is not None and len(source.columns) != len(header):
        raise DataError(
            f"{file.name}:1: {len(header)} columns, and source.columns names {len(source.columns)}\n"
            "  do: name every column of the file in `source.columns`, in its order"
        )
    if source.columns is not None:
        return list(source.columns)
    if not any(header):
        raise DataError(f"{file.name}:1: no header: the first row must name the columns")
    return header


def open_text(file: SourceFile, encoding: str) -> TextIO:
    """Open a file of text, gzipped or not; a byte order mark is no part of it."""
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    if file.path.suffix == ".gz":
        packed = file.path.open("rb") if is_remote(file.path) else file.path
        return io.TextIOWrapper(gzip.open(packed), encoding=encoding, newline="")
    return file.path.open(encoding=encoding, newline="")


def rewrite_csv(file: SourceFile, source: SourceConfig, columns: Sequence[str], folder: Path, rows: int) -> Rewritten:
    """Write the contract's columns of a CSV file as Parquet of text; rows of another width go to a file of their own.

    Args:
        file: The CSV file, plain or gzipped.
        source: Its delimiter and encoding.
        columns: The columns to keep.
        folder: The dataset's folder; `rows/<name>.parquet` and `broken/<name>.parquet` are written in it.
        rows: Rows of a row group; less where texts are so long that they would take too much memory.

    Raises:
        DataError: The file is not in the encoding, or is torn.
    """
    names = source.columns or csv_header(file, source)
    last = LastRow(names[-1] if names[-1] in columns else None)
    with broken_rows(file, folder) as broken:
        try:
            with _stream(file.path) as stream:
                reader = pa_csv.open_csv(
                    stream,
                    read_options=_read_options(source),
                    parse_options=pa_csv.ParseOptions(
                        delimiter=source.delimiter,
                        quote_char=source.quote,
                        newlines_in_values=True,
                        invalid_row_handler=partial(_set_aside, broken=broken, header=source.header),
                    ),
                    convert_options=pa_csv.ConvertOptions(
                        include_columns=list(columns),
                        column_types=dict.fromkeys(columns, pa.string()),
                        strings_can_be_null=False,
                    ),
                )
                rewritten = write_rows(file.stored, reader.schema, last.watched(reader), folder, rows)
        except (pa.ArrowException, EOFError) as error:
            raise unreadable(file, error) from error
    rows_read = last.rows + broken.count
    require_closed(file, source, rows_read, broken.last if broken.row == rows_read else last.text, _pieces(file.path))
    return broken.told(rewritten)


def _read_options(source: SourceConfig) -> pa_csv.ReadOptions:
    names = source.columns
    return pa_csv.ReadOptions(
        use_threads=False,
        block_size=_BLOCK,
        encoding=source.encoding,
        column_names=None if names is None else list(names),
        skip_rows_after_names=int(names is not None and source.header),
    )


def _set_aside(row: Any, *, broken: BrokenRows, header: bool) -> str:
    """Take one `pyarrow.csv.InvalidRow`, whose number counts the header."""
    broken.add(row.number - header, row.text)
    return "skip"


def _pieces(path: Path) -> Iterator[bytes]:
    with _stream(path) as stream:
        while piece := stream.read(_BLOCK):
            yield piece


@contextmanager
def _stream(path: Path) -> Iterator[pa.NativeFile]:
    """Open a file to read it from its beginning to its end, unpacked."""
    if is_remote(path):
        with path.open("rb") as packed:
            yield pa.input_stream(packed, compression="gzip" if path.suffix == ".gz" else None)
    else:
        with pa.input_stream(str(path), compression="detect") as stream:
            yield stream


def rewrite_parquet(file: SourceFile, columns: Sequence[str], folder: Path, rows: int) -> Rewritten:
    """Write the contract's columns of a Parquet file again, in row groups of `rows` rows.

    Raises:
        DataError: The file is torn.
    """
    try:
        with parquet_reader(file.path) as reader:
            batches = reader.iter_batches(rows, columns=list(columns), use_threads=False)
            schema = pa.schema([reader.schema_arrow.field(name) for name in columns])
            return write_rows(file.stored, schema, (batch.select(list(columns)) for batch in batches), folder, rows)
    except pa.ArrowException as error:
        raise unreadable(file, error) from error


def unreadable(file: SourceFile, error: Exception) -> DataError:
    """Return what to raise where a file cannot be read as what it is said to be."""
    if isinstance(error, PermissionError):
        return DataError(f"{file.name}: may not be read\n  do: ask its owner for the right to read it")
    if "straddl" in str(error):
        return DataError(
            f"{file.name}: a row does not end within {_BLOCK >> 20} MB; most likely a quote is never closed\n"
            "  do: close it, or name in `source.quote` a sign that stands in no value"
        )
    return DataError(
        f"{file.name}: cannot be read as {file.format}: {error}\n"
        "  do: look at the file at that place; for CSV, `source.encoding` and `source.delimiter` say how to read it"
    )


def rewrite_arrow(file: SourceFile, columns: Sequence[str], folder: Path, rows: int) -> Rewritten:
    """Write the contract's columns of a file in Arrow's format as Parquet.

    Raises:
        DataError: The file is torn.
    """
    try:
        with arrow_reader(file.path) as reader:
            batches = (reader.get_batch(index).select(list(columns)) for index in range(reader.num_record_batches))
            schema = pa.schema([reader.schema.field(name) for name in columns])
            return write_rows(file.stored, schema, batches, folder, rows)
    except pa.ArrowException as error:
        raise unreadable(file, error) from error


@contextmanager
def arrow_reader(path: Path) -> Iterator[pa.ipc.RecordBatchFileReader]:
    """Open a file in Arrow's format; on a disk it is mapped, so that a batch is read when it is asked for."""
    if is_remote(path):
        yield pa.ipc.open_file(pa.BufferReader(path.read_bytes()))
    else:
        with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as reader:
            yield reader


def write_rows(
    name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], folder: Path, rows: int
) -> Rewritten:  # fmt: skip
    """Write the rows of a source's file as `rows/<name>.parquet`, in row groups of `rows` rows."""
    path = f"rows/{name}.parquet"
    rewritten = Rewritten(paths=[path])
    with parquet_writer(folder / path, schema, compression="zstd", compression_level=1) as writer:
        for table in _row_groups(batches, schema, rows):
            writer.write_table(table, row_group_size=rows)
            rewritten.partitions.append(Partition(path=path, row_group=len(rewritten.partitions), rows=table.num_rows))
    return rewritten


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """Gather batches into tables of `rows` rows; the last has what is left, and one of long texts fewer."""
    held = pa.Table.from_batches([], schema)
    for batch in batches:
        held = pa.concat_tables([held, pa.Table.from_batches([batch])])
        while held.num_rows >= rows:
            yield held.slice(0, rows)
            held = held.slice(rows)
        if held.nbytes > TARGET_BYTES:
            yield held
            held = held.slice(held.num_rows)
    if held.num_rows:
        yield held


class BrokenRows:
    """Collects the rows of one file that could not be split into fields; written in pieces: there may be many."""

    def __init__(self, file: SourceFile, folder: Path) -> None:
        """Make a collection of a file's rows, for a dataset's folder."""
        self.path = f"{BROKEN_ROWS}/{file.stored}.parquet"
        self.count = 0
        self.row, self.last = 0, ""
        self._name = file.name
        self._file = folder / self.path
        self._held: list[dict[str, Any]] = []
        self._opened = ExitStack()
        self._writer: pq.ParquetWriter | None = None

    def add(self, row: int, text: str) -> None:
        """Take one row, by its number among the rows, from 1, and its text."""
        self.count += 1
        self.row, self.last = row, text
        self._held.append({"source_file": self._name, "source_row": row, "source_text": text})
        if len(self._held) >= _BROKEN_AT_ONCE:
            self._flush()

    def told(self, rewritten: Rewritten) -> Rewritten:
        """Say in what was written for the file how many rows are here."""
        if self.count:
            rewritten.paths.append(self.path)
        rewritten.broken_rows = self.count
        return rewritten

    def _flush(self) -> None:
        if self._writer is None:
            self._writer = self._opened.enter_context(parquet_writer(self._file, _BROKEN_SCHEMA))
        self._writer.write_table(pa.Table.from_pylist(self._held, _BROKEN_SCHEMA))
        self._held.clear()

    def close(self) -> None:
        """Write what is still held."""
        if self._held:
            self._flush()
        self._opened.close()


@contextmanager
def broken_rows(file: SourceFile, folder: Path) -> Iterator[BrokenRows]:
    """Collect the rows of a file that could not be read, and write what is held when the block ends."""
    broken = BrokenRows(file, folder)
    try:
        yield broken
    finally:
        broken.close()

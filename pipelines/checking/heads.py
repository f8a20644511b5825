"""The beginning of a source: small copies of its files, which the task functions of a run can be tried on."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from serving.bundle.errors import RemoteError
from tasks.data.json_lines import json_names
from tasks.data.parquet import parquet_reader
from tasks.data.rewrite import arrow_reader, csv_header, open_text, unreadable
from tasks.data.sources import Format, SourceConfig, SourceFile, list_files

# Rows of the first file that are looked at, and how many further files are opened, for a row of each.
ROWS = 1_000
_FILES = 100
# A quote that is never closed makes one row of all that follows.
_MOST_CHARACTERS = 32_000_000


@dataclass(frozen=True)
class _Head:
    """The beginning of one file: its columns, the rows copied, all rows where known, bytes of a row in the file."""

    names: tuple[str, ...]
    copied: int
    rows: int | None
    row_bytes: float


@dataclass(frozen=True)
class Heads:
    """The beginning of a source.

    Attributes:
        source: How the copies are read.
        files: How many files the source has.
        names: The first file's columns.
        rows: Rows of the whole source; about, unless `counted`.
        counted: Whether every row was counted.
        whole: Whether the copies hold every row.
    """

    source: SourceConfig
    files: int
    names: tuple[str, ...]
    rows: int
    counted: bool
    whole: bool


def copy_heads(source: SourceConfig, folder: Path, rows: int = ROWS) -> Heads:
    """Copy the first rows of the first file and one row of each further one, up to a hundred files, into a folder.

    Args:
        source: The source, with its path absolute or from the working directory.
        folder: Empty; the copies are named as the files are.
        rows: The most rows of the first file.

    Raises:
        DataError: Nothing is there, or a file cannot be read as what it is.
    """
    files = list_files(source)
    # A copy alone may be called as it likes; in a folder a hidden one would not be found.
    opened = [each for each in files if not _hidden(each.name)][:_FILES] or files[:1]
    heads = [_copied(file, source, folder, rows if not place else 1) for place, file in enumerate(opened)]
    counted = [head.rows for head in heads if head.rows is not None]
    copies = folder / opened[0].name if len(opened) == 1 else folder
    total, exact = sum(counted), len(counted) == len(files)
    if not exact:
        known = {file.name for file, head in zip(opened, heads, strict=True) if head.rows is not None}
        others = [file for file in files if file.name not in known]
        row_bytes = max(1.0, heads[0].row_bytes)
        total += round(sum(file.path.stat().st_size for file in others) / row_bytes)
    return Heads(
        source=source.model_copy(update={"path": str(copies), "format": files[0].format}),
        files=len(files),
        names=heads[0].names,
        rows=total,
        counted=exact,
        whole=exact and total == sum(head.copied for head in heads),
    )


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _copied(file: SourceFile, source: SourceConfig, folder: Path, rows: int) -> _Head:
    target = folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not file.path.stat().st_size:
        target.touch()  # which ingest then refuses in its own words
        return _Head((), 0, 0, 0.0)
    try:
        return _COPIES[file.format](file, source, target, rows)
    except RemoteError:
        raise
    except (pa.ArrowException, UnicodeError, OSError, EOFError) as error:
        raise unreadable(file, error) from error


def _copy_parquet(file: SourceFile, _: SourceConfig, target: Path, rows: int) -> _Head:
    with parquet_reader(file.path) as reader:
        total, schema = reader.metadata.num_rows, reader.schema_arrow
        batch = next(reader.iter_batches(rows, use_threads=False), None)
    table = pa.Table.from_batches([] if batch is None else [batch], schema)
    pq.write_table(table, target)
    return _Head(tuple(schema.names), table.num_rows, total, file.path.stat().st_size / max(1, total))


def _copy_arrow(file: SourceFile, _: SourceConfig, target: Path, rows: int) -> _Head:
    with arrow_reader(file.path) as reader:
        batches = reader.num_record_batches
        first = reader.get_batch(0) if batches else None
        table = pa.Table.from_batches([] if first is None else [first.slice(0, rows)], reader.schema)
        with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    held = 0 if first is None else first.num_rows
    return _Head(
        tuple(table.column_names),
        table.num_rows,
        held if batches < 2 else None,
        file.path.stat().st_size / max(1, held * batches),
    )


def _copy_text(
    file: SourceFile,
    source: SourceConfig,
    target: Path,
    taken: tuple[list[str], int, bool],
    names: Callable[[SourceFile, SourceConfig], Sequence[str]],
) -> _Head:
    """Write lines; `taken` has them, how many rows they are, and whether they are the whole file."""
    lines, rows, whole = taken
    content = "".join(lines).encode(source.encoding)
    content = gzip.compress(content) if file.path.suffix == ".gz" else content
    target.write_bytes(content)
    columns = names(SourceFile(file.name, target, file.format), source) if content else ()
    return _Head(tuple(columns), rows, rows if whole else None, len(content) / max(1, rows))


def _copy_csv(file: SourceFile, source: SourceConfig, target: Path, rows: int) -> _Head:
    lines: list[str] = []
    with open_text(file, source.encoding) as text:
        records = csv.reader(_kept(text, lines), delimiter=source.delimiter, quotechar=source.quote)
        count = whole_rows = 0
        # A field beyond Python's limit ends the sample before its row; Arrow, which a run reads with, has none.
        with suppress(csv.Error):
            for _ in islice(records, rows + source.header):
                count, whole_rows = count + 1, len(lines)
        taken = lines[:whole_rows] or lines
        whole = len(taken) == len(lines) and not text.read(1)
    return _copy_text(file, source, target, (taken, max(0, count - source.header), whole), csv_header)


def _copy_json_lines(file: SourceFile, source: SourceConfig, target: Path, rows: int) -> _Head:
    with open_text(file, source.encoding) as text:
        lines = list(islice(text, rows))
        whole = not text.read(1)
    return _copy_text(file, source, target, (lines, len(lines), whole), json_names)


def _kept(text: TextIO, lines: list[str]) -> Iterator[str]:
    held = 0
    while held < _MOST_CHARACTERS and (line := text.readline(_MOST_CHARACTERS)):
        held += len(line)
        lines.append(line)
        yield line


_COPIES: dict[Format, Callable[[SourceFile, SourceConfig, Path, int], _Head]] = {
    "arrow": _copy_arrow,
    "csv": _copy_csv,
    "jsonl": _copy_json_lines,
    "parquet": _copy_parquet,
}

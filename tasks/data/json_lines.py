"""JSON lines: an object a line, rewritten as Parquet of text, which the contract then reads as it reads CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from serving.bundle.errors import RemoteError
from tasks.data.rewrite import BrokenRows, Rewritten, broken_rows, open_text, unreadable, write_rows
from tasks.data.sources import SourceConfig, SourceFile
from tasks.errors import DataError

# A key that first occurs later is not found.
_LOOKED_AT = 10_000
_BATCH = 8_192


def json_names(file: SourceFile, source: SourceConfig) -> list[str]:
    """Return the keys of the first ten thousand objects of a file, in the order in which they first occur.

    Raises:
        DataError: There is no object, or the file is not in the encoding.
    """
    try:
        with open_text(file, source.encoding) as text:
            names = dict.fromkeys(
                name for line in islice(text, _LOOKED_AT) for name in (_object(line) or ())
            )  # fmt: skip
    except RemoteError:
        raise
    except (UnicodeError, LookupError, OSError, EOFError) as error:
        raise unreadable(file, error) from error
    if not names:
        raise DataError(
            f'{file.name}:1: no JSON object: expected one in every line, such as {{"age": 31}}\n'
            "  do: write the file as JSON lines; a file that is one long list is none"
        )
    return list(names)


def rewrite_json_lines(
    file: SourceFile, source: SourceConfig, columns: Sequence[str], folder: Path, rows: int
) -> Rewritten:
    """Write the contract's columns of a file of JSON lines as Parquet of text.

    A key that an object lacks is null there; a list or an object within is its JSON text. Lines that are no object go
    to a file of their own, as broken CSV rows do.

    Raises:
        DataError: The file is not in the encoding, or is torn.
    """
    schema = pa.schema([(name, pa.string()) for name in columns])
    with broken_rows(file, folder) as broken:
        try:
            with open_text(file, source.encoding) as text:
                rewritten = write_rows(file.stored, schema, _batches(text, schema, broken), folder, rows)
        except (UnicodeError, OSError, EOFError) as error:
            raise unreadable(file, error) from error
    return broken.told(rewritten)


def _batches(lines: Iterator[str], schema: pa.Schema, broken: BrokenRows) -> Iterator[pa.RecordBatch]:
    held: list[dict[str, str | None]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _object(line)
        if found is None:
            broken.add(number, line.rstrip("\r\n"))
            continue
        held.append({name: _text(found.get(name)) for name in schema.names})
        if len(held) == _BATCH:
            yield pa.RecordBatch.from_pylist(held, schema)
            held.clear()
    if held:
        yield pa.RecordBatch.from_pylist(held, schema)


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)

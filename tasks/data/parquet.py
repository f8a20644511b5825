"""Parquet files, wherever they are: the local disk through Arrow's own reader, an object store by the ranges asked for.

On the disk nothing stands between Arrow and the file. In an object store a file is written in one step or in blocks,
and of a file that is read only its end and the wanted column chunks are fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serving.bundle.places import RemotePath
from tasks.storage import digest_file


@contextmanager
def parquet_reader(path: Path, **options: Any) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file to read some of its row groups and columns.

    Args:
        path: The file.
        options: Of `pyarrow.parquet.ParquetFile`, such as `read_dictionary`.

    Raises:
        FileNotFoundError: It is gone.
        RemoteError: The object store refuses or does not answer.
    """
    if isinstance(path, RemotePath):
        with path.open_parts() as parts, pq.ParquetFile(parts, **options | {"pre_buffer": True}) as file:
            yield file
    else:
        with pq.ParquetFile(path, memory_map=False, **options) as file:
            yield file


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema, **options: Any) -> Iterator[pq.ParquetWriter]:
    """Open a Parquet file to write it row group by row group, and make its folder.

    Args:
        path: The file.
        schema: Of every table written.
        options: Of `pyarrow.parquet.ParquetWriter`, such as `compression`.
    """
    if isinstance(path, RemotePath):
        with path.open("wb") as blocks, pq.ParquetWriter(blocks, schema, **options) as writer:
            yield writer
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, schema, **options) as writer:
            yield writer


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a whole file that memory can hold.

    Args:
        path: The file.
        columns: The columns to read; all by default.
    """
    source = pa.BufferReader(path.read_bytes()) if isinstance(path, RemotePath) else path
    with pq.ParquetFile(source, memory_map=False) as file:
        return file.read(None if columns is None else list(columns), use_threads=False)


def write_parquet(table: pa.Table, path: Path, **options: Any) -> str:
    """Write a table as one file, and make its folder.

    Args:
        table: The rows.
        path: The file.
        options: Of `pyarrow.parquet.write_table`, such as `compression`.

    Returns:
        The SHA-256 of the file, in hex.
    """
    if isinstance(path, RemotePath):
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, **options)
        content = sink.getvalue()
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **options)
    return digest_file(path)

"""Ingest: find a source's files, check that they have the contract's columns, and name their partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from data_contracts.contract import Contract
from serving.bundle.errors import RemoteError
from tasks.data.json_lines import json_names, rewrite_json_lines
from tasks.data.parquet import parquet_reader
from tasks.data.partitions import (
    DATASETS,
    Manifest,
    Partition,
    manifest_digest,
    read_manifest,
    stored,
    write_manifest,
)
from tasks.data.rewrite import arrow_reader, csv_header, rewrite_arrow, rewrite_csv, rewrite_parquet, unreadable
from tasks.data.schema import require_one_schema
from tasks.data.sizing import PartitionSize, partition_size, row_bytes
from tasks.data.sources import SourceConfig, SourceFile, list_files, stamp_of
from tasks.engine import Client, DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.references import DatasetRef
from tasks.storage import digest_file, new_folder

__all__ = ["SourceConfig", "run_ingest"]


@dataclass(frozen=True)
class _FileSchema:
    """Columns of a file; rows of each of its row groups (only of Parquet); bytes of a row as it is stored, unpacked.

    `stamp` is that of the file before it was opened.
    """

    names: tuple[str, ...]
    schema: pa.Schema
    row_groups: tuple[int, ...] = ()
    row_bytes: int = 0
    stamp: str = ""


@dataclass(frozen=True)
class _Ingested:
    """Partitions and digests by path that came of one source file, and its rows that are none.

    `stamp` is set where the file is read where it lies.
    """

    partitions: list[Partition]
    digests: dict[str, str]
    broken_rows: int = 0
    stamp: str | None = None


def run_ingest(source: SourceConfig, contract: Contract, home: Path, dask: DaskConfig) -> DatasetRef:
    """Make a raw dataset of a source.

    Parquet is read where it lies, small row groups of a file together; only a file with row groups too large to hold in
    memory is rewritten. CSV and JSON lines are rewritten as Parquet of text, Arrow files as Parquet. The digest depends
    on the files' names and content and on the size of partitions (`tasks.data.sizing`), not on their place.

    Raises:
        DataError: Nothing is there, a file is empty, torn or lacks columns of the contract, or there is no row at all.
        SchemaDriftError: The files have different schemas.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    files = list_files(source)
    with new_folder(home / DATASETS, manifest_digest) as folder, open_client(dask) as client:
        schemas = map_partitions(client, partial(_inspect, source=source), files, label="ingest: schemas")
        require_one_schema(
            ((file.name, each.names, each.schema) for file, each in zip(files, schemas, strict=True)), contract
        )
        columns = [column.name for column in contract.columns]
        size = _size(schemas, columns, client)
        work = partial(_ingest_file, source=source, columns=columns, size=size, folder=folder)
        ingested = map_partitions(client, work, list(zip(files, schemas, strict=True)), label="ingest")
        manifest = Manifest(
            columns={column.name: str(schemas[0].schema.field(column.name).type) for column in contract.columns},
            partitions=tuple(partition for each in ingested for partition in each.partitions),
            digests={path: digest for each in ingested for path, digest in each.digests.items()},
            sources={
                partition.path: file.name
                for file, each in zip(files, ingested, strict=True)
                for partition in each.partitions
            },
            broken_rows=sum(each.broken_rows for each in ingested),
            stamps={str(file.path): each.stamp for file, each in zip(files, ingested, strict=True) if each.stamp},
        )
        _require_rows(source, manifest)
        write_manifest(folder, manifest)
    dataset = stored(home, manifest)
    if read_manifest(dataset) != manifest:
        # The same data was ingested before from another place, which may be gone by now.
        write_manifest(dataset.folder, manifest)
    return dataset


def _size(schemas: Sequence[_FileSchema], columns: Sequence[str], client: Client) -> PartitionSize:
    width = max(row_bytes(each.schema, columns, each.row_bytes) for each in schemas)
    return partition_size(width, client.thread_memory)


def _require_rows(source: SourceConfig, manifest: Manifest) -> None:
    if not manifest.partitions:
        broken = f" ({manifest.broken_rows} rows of CSV could not be split into fields)" if manifest.broken_rows else ""
        raise DataError(
            f"source {source.path}: the files hold columns but no row{broken}\n"
            "  do: look at what wrote them; for CSV also at `source.delimiter`"
        )


def _inspect(file: SourceFile, *, source: SourceConfig) -> _FileSchema:
    """Read the columns' names and types of one file.

    Raises:
        DataError: The file is empty or cannot be read.
    """
    stamp = stamp_of(file.path)
    if not file.path.stat().st_size:
        raise DataError(f"{file.name}: the file is empty\n  do: write it again, or remove it from the source")
    if file.format in {"csv", "jsonl"}:
        names = csv_header(file, source) if file.format == "csv" else json_names(file, source)
        return _FileSchema(tuple(names), pa.schema([(name, pa.string()) for name in names]))
    if file.format == "arrow":
        try:
            with arrow_reader(file.path) as arrow:
                return _FileSchema(tuple(arrow.schema.names), arrow.schema)
        except pa.ArrowException as error:
            raise unreadable(file, error) from error
    try:
        with parquet_reader(file.path) as reader:
            metadata = reader.metadata
    except RemoteError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{file.name}: not a whole Parquet file: {error}\n"
            "  do: copy or write it again; a file that was cut off in transfer looks like this"
        ) from error
    schema = metadata.schema.to_arrow_schema()
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    stored = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return _FileSchema(tuple(schema.names), schema, tuple(group.num_rows for group in groups), stored, stamp)


def _ingest_file(
    inspected: tuple[SourceFile, _FileSchema],
    *,
    source: SourceConfig,
    columns: list[str],
    size: PartitionSize,
    folder: Path,
) -> _Ingested:
    file, schema = inspected
    if file.format == "csv":
        rewritten = rewrite_csv(file, source, columns, folder, size.rows)
    elif file.format == "jsonl":
        rewritten = rewrite_json_lines(file, source, columns, folder, size.rows)
    elif file.format == "arrow":
        rewritten = rewrite_arrow(file, columns, folder, size.rows)
    elif max(schema.row_groups, default=0) > size.most:
        rewritten = rewrite_parquet(file, columns, folder, size.rows)
    else:
        path = str(file.path)
        digests = {path: digest_file(file.path)}
        return _Ingested(_joined(path, schema.row_groups, size.rows), digests, stamp=schema.stamp)
    digests = {path: digest_file(folder / path) for path in rewritten.paths}
    return _Ingested(rewritten.partitions, digests, rewritten.broken_rows)


def _joined(path: str, row_groups: Sequence[int], most: int) -> list[Partition]:
    """Return the partitions of a file: neighbouring row groups together while they have at most so many rows."""
    partitions: list[Partition] = []
    for index, rows in enumerate(row_groups):
        last = partitions[-1] if partitions else None
        if last is not None and last.rows + rows <= most:
            joined = {"rows": last.rows + rows, "row_groups": last.row_groups + 1}
            partitions[-1] = last.model_copy(update=joined)
        else:
            partitions.append(Partition(path=path, row_group=index, rows=rows))
    return [partition for partition in partitions if partition.rows]

"""Datasets on disk: a manifest that names partitions, and how one partition is read and written.

Sources are Parquet, which other programs read. Rows and features between pieces of work are Arrow's own format: they
are read soon and more than once, and reading Parquet costs ten times as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PositiveInt

from data_contracts.parsing import decoded_table, plain_texts
from serving.bundle.errors import RemoteError
from tasks.data.arrow_files import ARROW, read_arrow, write_arrow
from tasks.data.parquet import parquet_reader, write_parquet
from tasks.errors import IntegrityError
from tasks.references import DatasetRef
from tasks.storage import beside, digest_of, naming_lost, write_atomic

MANIFEST = "manifest.json"
DATASETS = "datasets"
# The one column of a partition's `dropped` file.
DROPPED = "row"

# Beyond so many bytes a value a text column hardly repeats, and finding what does costs more than it saves.
_REPEATING = 8


class Partition(BaseModel):
    """One or more row groups of one file: the unit of work and of memory.

    Attributes:
        path: Relative to the dataset's folder, or absolute for a source read where it lies.
        row_group: The first row group; a file in Arrow's format has one.
        rows: How many rows belong to the dataset.
        split: Set where a dataset keeps each split in files of its own.
        row_groups: How many consecutive row groups.
        dropped: The file with the positions of the rows that stand in `path` but do not belong to the dataset.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    row_group: int
    rows: int
    split: str | None = None
    row_groups: PositiveInt = 1
    dropped: str | None = None


class Manifest(BaseModel):
    """What a dataset holds.

    Attributes:
        columns: Arrow type of each column, as text, in order.
        partitions: Every partition, in the dataset's row order.
        digests: SHA-256 of each file named by a partition, and of what else stands beside the manifest.
        sources: For a raw dataset, the source file (relative to the source's folder) behind each path.
        broken_rows: For a raw dataset from CSV, how many rows could not be split into fields.
        stamps: Size and time of change of each source file that is read where it lies; no part of the digest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Mapping[str, str]
    partitions: tuple[Partition, ...]
    digests: Mapping[str, str]
    sources: Mapping[str, str] = {}
    broken_rows: int = 0
    stamps: Mapping[str, str] = {}

    def of_split(self, split: str) -> tuple[Partition, ...]:
        """Return the partitions of one split, in order."""
        return tuple(partition for partition in self.partitions if partition.split == split)

    @property
    def rows(self) -> int:
        """Rows of all partitions."""
        return sum(partition.rows for partition in self.partitions)

    @property
    def digest(self) -> str:
        """Digest of the content: a source that is read where it lies counts by its name, not by its place."""
        content = self.model_dump(mode="json", exclude={"stamps"})
        for partition in content["partitions"]:
            partition["path"] = self.sources.get(partition["path"], partition["path"])
        content["digests"] = {self.sources.get(path, path): digest for path, digest in self.digests.items()}
        content["sources"] = sorted(self.sources.values())
        return digest_of(content)


@dataclass(frozen=True)
class WrittenPartition:
    """A partition that was just written, and its file's SHA-256."""

    partition: Partition
    digest: str


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a dataset's manifest; its columns keep their order."""
    write_atomic(folder / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())


def manifest_digest(folder: Path) -> str:
    """Return the digest of the dataset in a folder: its name in the store."""
    return Manifest.model_validate_json((folder / MANIFEST).read_bytes()).digest


def stored(home: Path, manifest: Manifest) -> DatasetRef:
    """Return the reference of a dataset that stands in the store under its digest."""
    digest = manifest.digest
    return DatasetRef(path=str(home / DATASETS / digest), digest=digest, rows=manifest.rows)


def read_manifest(dataset: DatasetRef) -> Manifest:
    """Read a dataset's manifest.

    Raises:
        IntegrityError: The dataset's folder or its manifest is gone.
    """
    path = dataset.folder / MANIFEST
    with naming_lost(path, "the dataset is"):
        return Manifest.model_validate_json(path.read_bytes())


def read_partition(
    folder: Path,
    partition: Partition,
    columns: Sequence[str] | None = None,
    *,
    wanted: NDArray[np.bool_] | None = None,
    dictionaries: bool = False,
) -> pa.Table:
    """Read one partition.

    Args:
        folder: The dataset's folder.
        partition: Which.
        columns: The columns to read, in this order; all by default.
        wanted: bool [`partition.rows`], the rows to return; all by default.
        dictionaries: Return string columns that repeat their values as dictionaries.

    Raises:
        IntegrityError: The file is gone, torn or altered.
    """
    path = beside(folder, partition.path)
    try:
        table = _read(path, partition, columns, dictionaries=dictionaries)
        if partition.dropped is not None:
            dropped = read_arrow(folder / partition.dropped)[DROPPED].to_numpy()
            wanted = _kept(table.num_rows, dropped, wanted)
    except RemoteError:
        raise
    except (pa.ArrowException, OSError, LookupError) as error:
        raise IntegrityError(
            f"{path}, row group {partition.row_group}: cannot be read any more: {error}\n"
            "  do: if this is your source, copy or write the file again; else run again, which rebuilds it"
        ) from error
    if wanted is not None:
        table = table.filter(pa.array(wanted))
    return table if dictionaries else decoded_table(table)


def _read(path: Path, partition: Partition, columns: Sequence[str] | None, *, dictionaries: bool) -> pa.Table:
    names = None if columns is None else list(columns)
    if path.suffix == ARROW:
        table = read_arrow(path)
        return table if names is None else table.select(names)
    groups = list(range(partition.row_group, partition.row_group + partition.row_groups))
    with parquet_reader(path) as file:
        repeating = _repeating(file, partition.row_group, names) if dictionaries else []
        metadata = file.metadata
        if not repeating:
            table = file.read_row_groups(groups, columns=names, use_threads=False)
    if repeating:
        with parquet_reader(path, metadata=metadata, read_dictionary=repeating) as file:
            table = file.read_row_groups(groups, columns=names, use_threads=False)
    if any(pa.types.is_string_view(kind) for kind in table.schema.types):
        table = pa.table([plain_texts(column) for column in table.columns], names=table.column_names)
    return table if names is None else table.select(names)


def _repeating(file: pq.ParquetFile, group: int, names: Sequence[str] | None) -> list[str]:
    """Return the string columns that repeat their values, by the size that they take in a row group."""
    texts = {field.name for field in file.schema_arrow if pa.types.is_string(field.type)}
    texts &= texts if names is None else set(names)
    chunks = (file.metadata.row_group(group).column(index) for index in range(file.metadata.num_columns))
    return [
        chunk.path_in_schema
        for chunk in chunks
        if chunk.path_in_schema in texts and chunk.total_uncompressed_size <= _REPEATING * chunk.num_values
    ]


def _kept(rows: int, dropped: NDArray[np.int32], wanted: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return bool [rows], whether each row of the file belongs to the dataset and is wanted."""
    kept = np.ones(rows, dtype=np.bool_)
    kept[dropped] = False
    if wanted is not None:
        kept[kept] = wanted
    return kept


def part_name(index: int, suffix: str = ".parquet") -> str:
    """Return the file name of the partition at a position."""
    return f"part-{index:05d}{suffix}"


def write_partition(folder: Path, path: str, table: pa.Table, split: str | None = None) -> WrittenPartition:
    """Write a table of at least one row as one file of one row group.

    Args:
        folder: The dataset's folder.
        path: The file, relative to the folder; its suffix says whether it is Parquet or Arrow's own format.
        table: The rows.
        split: The split that all of the rows belong to, where that is so.
    """
    if path.endswith(ARROW):
        digest = write_arrow(table, folder / path)
    else:
        # For numbers, dictionaries cost more time than they save room.
        texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
        rows = max(1, table.num_rows)
        digest = write_parquet(table, folder / path, row_group_size=rows, compression="snappy", use_dictionary=texts)
    return WrittenPartition(Partition(path=path, row_group=0, rows=table.num_rows, split=split), digest)

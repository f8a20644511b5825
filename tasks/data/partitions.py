"""Datasets on disk: a manifest that names Parquet partitions, and how one partition is read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from tasks.errors import IntegrityError
from tasks.references import DatasetRef
from tasks.storage import digest_file, digest_of, naming_lost, write_atomic

MANIFEST = "manifest.json"
DATASETS = "datasets"


class Partition(BaseModel):
    """One row group of one Parquet file: the unit of work and of memory.

    `path` is relative to the dataset's folder, or absolute for a source read where it lies. `split` is set where a
    dataset keeps each split in files of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    row_group: int
    rows: int
    split: str | None = None


class Manifest(BaseModel):
    """What a dataset holds.

    Attributes:
        columns: Arrow type of each column, as text, in order.
        partitions: Every partition, in the dataset's row order.
        digests: SHA-256 of each file named by a partition, and of what else stands beside the manifest.
        sources: For a raw dataset, the source file (relative to the source's folder) behind each path.
        broken_rows: For a raw dataset from CSV, how many rows could not be split into fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Mapping[str, str]
    partitions: tuple[Partition, ...]
    digests: Mapping[str, str]
    sources: Mapping[str, str] = {}
    broken_rows: int = 0

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
        content = self.model_dump(mode="json")
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
    path = Path(dataset.path) / MANIFEST
    with naming_lost(path, "the dataset is"):
        return Manifest.model_validate_json(path.read_bytes())


def read_partition(folder: Path, partition: Partition, columns: Sequence[str] | None = None) -> pa.Table:
    """Read one partition.

    Args:
        folder: The dataset's folder.
        partition: Which.
        columns: The columns to read, in this order; all by default.

    Raises:
        IntegrityError: The file is gone, torn or altered.
    """
    path = folder / partition.path
    try:
        with pq.ParquetFile(path, memory_map=False) as file:
            table = file.read_row_group(partition.row_group, columns=columns, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(
            f"{path}, row group {partition.row_group}: cannot be read any more: {error}\n"
            "  do: if this is your source, copy or write the file again; else run again, which rebuilds it"
        ) from error
    return table if columns is None else table.select(list(columns))


def part_name(index: int) -> str:
    """Return the file name of the partition at a position."""
    return f"part-{index:05d}.parquet"


def write_partition(folder: Path, path: str, table: pa.Table, split: str | None = None) -> WrittenPartition:
    """Write a table of at least one row as one Parquet file of one row group.

    Args:
        folder: The dataset's folder.
        path: The file, relative to the folder.
        table: The rows.
        split: The split that all of the rows belong to, where that is so.
    """
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file, row_group_size=max(1, table.num_rows), compression="zstd", compression_level=1)
    return WrittenPartition(Partition(path=path, row_group=0, rows=table.num_rows, split=split), digest_file(file))

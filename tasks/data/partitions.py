"""Datasets on disk: a manifest that names Parquet partitions, and how one partition is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from tasks.errors import IntegrityError
from tasks.references import DatasetRef
from tasks.storage import write_json

MANIFEST = "manifest.json"


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
        digests: SHA-256 of each file named by a partition.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Mapping[str, str]
    partitions: tuple[Partition, ...]
    digests: Mapping[str, str]

    def of_split(self, split: str) -> tuple[Partition, ...]:
        """Return the partitions of one split, in order."""
        return tuple(partition for partition in self.partitions if partition.split == split)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a dataset's manifest."""
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))


def read_manifest(dataset: DatasetRef) -> Manifest:
    """Read a dataset's manifest.

    Raises:
        IntegrityError: The dataset's folder or its manifest is gone.
    """
    path = Path(dataset.path) / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise IntegrityError(
            f"{path}: the dataset is gone\n  do: run the pipeline again; it rebuilds what is missing"
        ) from error


def read_partition(folder: Path, partition: Partition, columns: Sequence[str] | None = None) -> pa.Table:
    """Read one partition.

    Args:
        folder: The dataset's folder.
        partition: Which.
        columns: The columns to read, in this order; all by default.
    """
    with pq.ParquetFile(folder / partition.path, memory_map=False) as file:
        table = file.read_row_group(partition.row_group, columns=columns, use_threads=False)
    return table if columns is None else table.select(list(columns))

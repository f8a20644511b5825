"""The quarantine: rows that broke a rule, as the source had them, with the rule's id and their place in the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.accounting import BROKEN_CSV_ROW
from tasks.data.parquet import parquet_reader, read_parquet, write_parquet
from tasks.data.partitions import Manifest, Partition, write_partition
from tasks.data.rewrite import BROKEN_ROWS
from tasks.data.verdicts import NO_RULE

QUARANTINE = "quarantine"


def write_quarantine(
    folder: Path, name: str, raw: pa.Table, rules: NDArray[np.int16], ids: Sequence[str], place: tuple[str, pa.Array]
) -> None:
    """Write the rows of one partition that have a rule, if there are any.

    The raw columns are written as text, so that all files of the quarantine can be read as one table.

    Args:
        folder: The validation's folder.
        name: The file's name.
        raw: The partition as the source has it.
        rules: int16 [N], each row's position in `ids`, or `NO_RULE`.
        ids: The ids of the rules.
        place: The source file's name, and each row's 1-based row in it (a CSV's header not counted), int64 [N].
    """
    rows = np.flatnonzero(rules != NO_RULE)
    if not len(rows):
        return
    source_file, source_rows = place
    columns = {column: _as_text(_taken(raw[column], rows)) for column in raw.column_names}
    columns["rule_id"] = pa.array(ids, pa.string()).take(pa.array(rules[rows]))
    columns["source_file"] = pa.repeat(pa.scalar(source_file, pa.string()), len(rows))
    columns["source_row"] = source_rows.take(pa.array(rows))
    columns["source_text"] = pa.nulls(len(rows), pa.string())
    # A few rows of many columns, read by people if at all: encoding them would take longer than all else about them.
    options = {"compression": "lz4", "use_dictionary": False, "write_statistics": False}
    write_parquet(pa.table(columns), folder / QUARANTINE / name, **options)


def _taken(column: pa.ChunkedArray, rows: NDArray[np.intp]) -> pa.ChunkedArray:
    """Return some rows, ascending; Arrow would join all chunks first, which costs more than all else about the few."""
    ends = np.cumsum([0, *(len(chunk) for chunk in column.chunks)])
    bounds = np.searchsorted(rows, ends)
    parts = [
        chunk.take(pa.array(rows[first:last] - start))
        for chunk, start, first, last in zip(column.chunks, ends, bounds, bounds[1:], strict=False)
    ]
    return pa.chunked_array(parts, column.type)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string())


def write_broken_rows(folder: Path, raw: Path, manifest: Manifest) -> None:
    """Write the CSV rows that could not be split into fields, as text, under the rule `csv.broken_row`.

    Args:
        folder: The validation's folder.
        raw: The raw dataset's folder.
        manifest: Its manifest.
    """
    paths = sorted(path for path in manifest.digests if path.startswith(f"{BROKEN_ROWS}/"))
    for index, path in enumerate(paths):
        with parquet_reader(raw / path) as file:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, use_threads=False)
                columns = {name: pa.nulls(rows.num_rows, pa.string()) for name in manifest.columns}
                columns["rule_id"] = pa.array([BROKEN_CSV_ROW] * rows.num_rows, pa.string())
                columns |= {name: rows[name] for name in ("source_file", "source_row", "source_text")}
                write_partition(folder, f"{QUARANTINE}/csv-{index:05d}-{group:05d}.parquet", pa.table(columns))


@dataclass(frozen=True)
class RawPartition:
    """A partition of a raw dataset and where it comes from.

    Attributes:
        index: Its position in the dataset.
        source_file: The source file's name.
        rows_before: Rows of the source file in earlier partitions.
        broken_rows: The file, relative to the dataset's folder, that names the source file's broken CSV rows.
    """

    index: int
    partition: Partition
    source_file: str
    rows_before: int
    broken_rows: str | None

    def source_rows(self, raw: Path) -> pa.Array:
        """Return the 1-based rows in the source file, int64 [N]; broken rows count, as for a reader of the file.

        Args:
            raw: The raw dataset's folder.
        """
        numbers = np.arange(self.rows_before + 1, self.rows_before + self.partition.rows + 1)
        if self.broken_rows is not None:
            broken = read_parquet(raw / self.broken_rows, ["source_row"])
            missing = np.sort(broken["source_row"].to_numpy())
            # Before the i-th missing number stand `missing[i] - i - 1` rows that are there.
            numbers += np.searchsorted(missing - np.arange(len(missing)) - 1, numbers, side="left")
        return pa.array(numbers)


def raw_partitions(manifest: Manifest) -> list[RawPartition]:
    """Return the partitions of a raw dataset with their places in the source."""
    before: Counter[str] = Counter()
    partitions = []
    for index, partition in enumerate(manifest.partitions):
        source_file = manifest.sources[partition.path]
        broken = f"{BROKEN_ROWS}/{source_file}.parquet"
        partitions.append(
            RawPartition(
                index, partition, source_file, before[source_file], broken if broken in manifest.digests else None
            )
        )
        before[source_file] += partition.rows
    return partitions

"""Duplicates and key conflicts over the whole dataset, in bounded memory.

Each partition leaves the hashes of its rows and of its keys in files whose row groups are buckets of the hash. Equal
hashes meet in the same bucket, so one bucket at a time is all that has to be held; the number of buckets grows with
the dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_contracts.contract import Contract
from tasks.data.hashing import LANES, Words, hash_rows
from tasks.data.partitions import Partition, part_name, read_partition

ROWS_PER_BUCKET = 2_000_000
HASHES, FOUND = "hashes", "found"
DUPLICATE = -1

_HASH_COLUMNS = ("key_low", "key_high", "row_low", "row_high")


@dataclass(frozen=True)
class Key:
    """Columns whose combined values are compared over the whole dataset.

    Attributes:
        ids: The rules that ask for it: key rules and `duplicateValues` rules; none for the whole row.
        conflict: Position in `rule_ids` of the key rule for which conflicting rows are quarantined, `DUPLICATE` for
            the whole row, None where rows are only counted.
    """

    columns: tuple[str, ...]
    ids: tuple[str, ...]
    conflict: int | None


def keys_of(contract: Contract) -> list[Key]:
    """Return what must be compared: the whole row first, then the contract's keys, each set of columns once."""
    keys = [Key(tuple(column.name for column in contract.columns), (), DUPLICATE)]
    asked: dict[tuple[str, ...], list[str]] = {}
    conflicts: dict[tuple[str, ...], int] = {}
    for position, rule in enumerate(contract.key_rules, start=len(contract.row_rules)):
        asked.setdefault(rule.columns, []).append(rule.id)
        conflicts.setdefault(rule.columns, position)
    for metric in contract.table_rules:
        if metric.metric == "duplicateValues":
            asked.setdefault(metric.columns, []).append(metric.id)
    return keys + [Key(columns, tuple(ids), conflicts.get(columns)) for columns, ids in asked.items()]


def bucket_count(rows: int) -> int:
    """Return how many buckets keep a bucket's hashes within some hundred MiB."""
    return max(1, -(-rows // ROWS_PER_BUCKET))


@dataclass(frozen=True)
class HashWriter:
    """Leaves the hashes of a partition's rows and keys below a folder."""

    folder: Path
    keys: Sequence[Key]
    buckets: int

    def write(self, index: int, table: pa.Table, whole: NDArray[np.bool_]) -> None:
        """Write the hashes of the partition at a position.

        Args:
            index: The partition's position.
            table: Its parsed rows, with every column of the contract.
            whole: bool [N], whether the row breaks no row rule; only such rows can be duplicates or in conflict.
        """
        row = _lanes(table, table.column_names)
        for number, key in enumerate(self.keys):
            lanes = row if key.conflict == DUPLICATE else _lanes(table, key.columns)
            there = np.flatnonzero(whole if key.conflict == DUPLICATE else _without_null(table, key.columns))
            bucket = lanes[0][there] % np.uint64(self.buckets)
            order = there[np.argsort(bucket, kind="stable")]
            ends = np.cumsum(np.bincount(bucket.astype(np.int64), minlength=self.buckets))
            columns = dict(zip(_HASH_COLUMNS, (*lanes, *row), strict=True)) | {"whole": whole}
            hashes = pa.table({"position": order} | {name: values[order] for name, values in columns.items()})
            path = self.folder / HASHES / str(number) / part_name(index)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Hashes are random bits: nothing in them can be compressed or put into a dictionary.
            with pq.ParquetWriter(path, hashes.schema, compression="none", use_dictionary=False) as writer:
                for start, stop in zip([0, *ends[:-1]], ends, strict=True):
                    writer.write_table(hashes.slice(start, stop - start), row_group_size=max(1, stop - start))


def _lanes(table: pa.Table, columns: Sequence[str]) -> tuple[Words, Words]:
    values = [table[name] for name in columns]
    low, high = (hash_rows(values, table.num_rows, lane) for lane in LANES)
    return low, high


def _without_null(table: pa.Table, columns: Sequence[str]) -> NDArray[np.bool_]:
    there = np.ones(table.num_rows, dtype=np.bool_)
    for name in columns:
        there &= table[name].is_valid().to_numpy()
    return there


@dataclass(frozen=True)
class Bucket:
    """One bucket of one key: a piece of work."""

    key: Key
    number: int
    bucket: int


@dataclass(frozen=True)
class BucketReport:
    """What was found in a bucket.

    Attributes:
        beyond_first: Rows beyond the first of each key, whatever else they break.
        partitions: Positions of the partitions that have rows in the bucket's file of findings.
    """

    key: Key
    beyond_first: int
    partitions: frozenset[int]


def buckets_of(keys: Sequence[Key], buckets: int) -> list[Bucket]:
    """Return every bucket of every key."""
    return [Bucket(key, number, bucket) for number, key in enumerate(keys) for bucket in range(buckets)]


def search_bucket(bucket: Bucket, *, folder: Path, partitions: int) -> BucketReport:
    """Find the duplicates or conflicts of one bucket and leave them in a file, by partition and position."""
    hashes = _read_bucket(bucket, folder, partitions)
    order = np.lexsort((hashes["key_high"], hashes["key_low"]))
    hashes = {name: values[order] for name, values in hashes.items()}
    beyond_first = int((~_starts(hashes)).sum())
    whole = hashes["whole"]
    hashes = {name: values[whole] for name, values in hashes.items()}
    if bucket.key.conflict is None or not len(hashes["key_low"]):
        return BucketReport(bucket.key, beyond_first, frozenset())
    starts = _starts(hashes)
    found = ~starts if bucket.key.conflict == DUPLICATE else _conflicts(hashes, starts)
    where = {name: hashes[name][found] for name in ("partition", "position")}
    if found.any():
        by_partition = np.argsort(where["partition"], kind="stable")
        table = pa.table({name: values[by_partition] for name, values in where.items()})
        path = folder / FOUND / f"{bucket.number}-{bucket.bucket}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, row_group_size=65_536)
    return BucketReport(bucket.key, beyond_first, frozenset(np.unique(where["partition"]).tolist()))


def _read_bucket(bucket: Bucket, folder: Path, partitions: int) -> dict[str, NDArray[Any]]:
    tables = []
    for index in range(partitions):
        path = f"{HASHES}/{bucket.number}/{part_name(index)}"
        tables.append(read_partition(folder, Partition(path=path, row_group=bucket.bucket, rows=0)))
    merged = pa.concat_tables(tables)
    hashes = {name: merged[name].to_numpy() for name in merged.column_names}
    hashes["partition"] = np.repeat(np.arange(partitions), [table.num_rows for table in tables])
    return hashes


def _starts(hashes: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return where a new key begins in sorted hashes."""
    starts = np.ones(len(hashes["key_low"]), dtype=np.bool_)
    starts[1:] = (hashes["key_low"][1:] != hashes["key_low"][:-1]) | (hashes["key_high"][1:] != hashes["key_high"][:-1])
    return starts


def _conflicts(hashes: dict[str, NDArray[Any]], starts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the rows whose key is shared by a row of other content."""
    first = np.flatnonzero(starts)
    group = np.cumsum(starts) - 1
    differs = (hashes["row_low"] != hashes["row_low"][first][group]) | (
        hashes["row_high"] != hashes["row_high"][first][group]
    )
    conflicting = np.logical_or.reduceat(differs, first)
    return np.asarray(conflicting[group])


def read_found(index: int, key: int, buckets: int, folder: Path) -> NDArray[np.int64]:
    """Return the positions in one partition of the rows found for a key.

    Args:
        index: The partition's position in the dataset.
        key: The key's position in `keys_of`.
        buckets: The number of buckets.
        folder: The validation's folder.
    """
    positions = [np.empty(0, dtype=np.int64)]
    for bucket in range(buckets):
        path = folder / FOUND / f"{key}-{bucket}.parquet"
        if path.exists():
            found = pq.read_table(path, filters=[("partition", "=", index)], use_threads=False, memory_map=False)
            positions.append(found["position"].to_numpy())
    return np.concatenate(positions)

"""Duplicates and key conflicts over the whole dataset, in bounded memory.

Each partition leaves 128-bit hashes of those of its rows and keys that may have an equal (`tasks.data.candidates`) in
files whose parts are buckets of the hash. Equal hashes meet in the same bucket, so one bucket at a time is all
that has to be held; the number of buckets grows with the number of candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.contract import Contract
from tasks.data.arrow_files import ARROW, read_part, save_parts
from tasks.data.hashing import LANES, Words, hash_lanes
from tasks.data.partitions import part_name
from tasks.data.verdicts import ALONE, BETWEEN, FIRST, LAST, Copies

KeepKey = Literal["first", "last", "none"]

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
        keep: Which of the contents that share the key stays: that of the first row, of the last, or none.
    """

    columns: tuple[str, ...]
    ids: tuple[str, ...]
    conflict: int | None
    keep: KeepKey = "none"


def keys_of(contract: Contract, keep: KeepKey = "none") -> list[Key]:
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
    return keys + [Key(columns, tuple(ids), conflicts.get(columns), keep) for columns, ids in asked.items()]


def bucket_count(rows: int) -> int:
    """Return how many buckets keep a bucket's hashes within some hundred MiB."""
    return max(1, -(-rows // ROWS_PER_BUCKET))


@dataclass(frozen=True)
class HashWriter:
    """Leaves the hashes of a partition's rows and keys below a folder."""

    folder: Path
    keys: Sequence[Key]
    buckets: int

    def write(
        self, index: int, table: pa.Table, whole: NDArray[np.bool_], candidates: Sequence[NDArray[np.int64]]
    ) -> None:
        """Write the hashes of the partition at a position.

        Args:
            index: The partition's position.
            table: Its parsed rows, with every column of the contract.
            whole: bool [N], whether the row breaks no row rule; only such rows can be duplicates or in conflict.
            candidates: For each key, the positions of the rows that may have an equal, ascending.
        """
        among = [_mask(positions, table.num_rows) for positions in candidates]
        every = np.flatnonzero(np.logical_or.reduce(among))
        taken = table.take(pa.array(every))
        row = _lanes(taken, taken.column_names)
        for number, (key, mask) in enumerate(zip(self.keys, among, strict=True)):
            lanes = row if key.conflict == DUPLICATE else _lanes(taken, key.columns)
            counts = whole[every] if key.conflict == DUPLICATE else _without_null(taken, key.columns)
            chosen = np.flatnonzero(mask[every] & counts)
            columns: dict[str, NDArray[Any]] = {"position": every[chosen], "whole": whole[every[chosen]]}
            hashed = zip(_HASH_COLUMNS, (*lanes, *row), strict=True)
            columns |= {name: lane[chosen] for name, lane in hashed}
            self._write(self.folder / HASHES / str(number) / part_name(index, ARROW), columns)

    def _write(self, path: Path, columns: dict[str, NDArray[Any]]) -> None:
        bucket = columns["key_low"] % np.uint64(self.buckets)
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket.astype(np.int64), minlength=self.buckets)).tolist()
        save_parts(pa.record_batch({name: values[order] for name, values in columns.items()}), ends, path)


def _mask(positions: NDArray[np.int64], rows: int) -> NDArray[np.bool_]:
    mask = np.zeros(rows, dtype=np.bool_)
    mask[positions] = True
    return mask


def _lanes(table: pa.Table, columns: Sequence[str]) -> tuple[Words, Words]:
    low, high = hash_lanes([table[name] for name in columns], table.num_rows, LANES)
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
        sharing: Rows that share their key with another, those first ones included.
        partitions: Positions of the partitions that have rows in the bucket's file of findings.
    """

    key: Key
    beyond_first: int
    sharing: int
    partitions: frozenset[int]


def buckets_of(keys: Sequence[Key], buckets: int) -> list[Bucket]:
    """Return every bucket of every key."""
    return [Bucket(key, number, bucket) for number, key in enumerate(keys) for bucket in range(buckets)]


def search_bucket(bucket: Bucket, *, folder: Path, partitions: int) -> BucketReport:
    """Find the duplicates or conflicts of one bucket and leave them in a file, by partition and position."""
    hashes = _read_bucket(bucket, folder, partitions)
    order = np.lexsort((hashes["key_high"], hashes["key_low"]))
    hashes = {name: values[order] for name, values in hashes.items()}
    starts = _starts(hashes)
    beyond_first = int((~starts).sum())
    shared_first = int((starts[:-1] & ~starts[1:]).sum())
    counts = beyond_first, beyond_first + shared_first
    whole = hashes["whole"]
    hashes = {name: values[whole] for name, values in hashes.items()}
    if bucket.key.conflict is None or not len(hashes["key_low"]):
        return BucketReport(bucket.key, *counts, frozenset())
    starts = _starts(hashes)
    copies = _copies(starts)
    found = copies != ALONE if bucket.key.conflict == DUPLICATE else _conflicts(hashes, starts, bucket.key.keep)
    where = hashes["partition"][found]
    if found.any():
        by_partition = np.argsort(where, kind="stable")
        rows = {"position": hashes["position"][found][by_partition], "copy": copies[found][by_partition]}
        ends = np.cumsum(np.bincount(where, minlength=partitions)).tolist()
        save_parts(pa.record_batch(rows), ends, _found(folder, bucket.number, bucket.bucket))
    return BucketReport(bucket.key, *counts, frozenset(np.unique(where).tolist()))


def _found(folder: Path, key: int, bucket: int) -> Path:
    """Return the file of what was found in a bucket; each partition has its part."""
    return folder / FOUND / f"{key}-{bucket}{ARROW}"


def _read_bucket(bucket: Bucket, folder: Path, partitions: int) -> dict[str, NDArray[Any]]:
    place = folder / HASHES / str(bucket.number)
    parts = [read_part(place / part_name(index, ARROW), bucket.bucket) for index in range(partitions)]
    merged = pa.Table.from_batches(parts)
    hashes = {name: merged[name].to_numpy() for name in merged.column_names}
    hashes["partition"] = np.repeat(np.arange(partitions), [part.num_rows for part in parts])
    return hashes


def _starts(hashes: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return where a new key begins in sorted hashes."""
    starts = np.ones(len(hashes["key_low"]), dtype=np.bool_)
    starts[1:] = (hashes["key_low"][1:] != hashes["key_low"][:-1]) | (hashes["key_high"][1:] != hashes["key_high"][:-1])
    return starts


def _copies(starts: NDArray[np.bool_]) -> Copies:
    """Return what each row is among those of its key, which stand together in the dataset's order."""
    ends = np.append(starts[1:], np.True_)[: len(starts)]
    copies = np.full(len(starts), BETWEEN, dtype=np.uint8)
    copies[starts], copies[ends], copies[starts & ends] = FIRST, LAST, ALONE
    return copies


def _conflicts(hashes: dict[str, NDArray[Any]], starts: NDArray[np.bool_], keep: KeepKey) -> NDArray[np.bool_]:
    """Return the rows whose key is shared by a row of other content, but for those whose content is to stay."""
    first = np.flatnonzero(starts)
    group = np.cumsum(starts) - 1
    stays = np.append(first[1:], len(starts)) - 1 if keep == "last" else first
    differs = (hashes["row_low"] != hashes["row_low"][stays][group]) | (
        hashes["row_high"] != hashes["row_high"][stays][group]
    )
    return differs if keep != "none" else np.asarray(np.logical_or.reduceat(differs, first)[group])


def read_found(index: int, key: int, buckets: int, folder: Path) -> tuple[NDArray[np.int64], Copies]:
    """Return the positions in one partition of the rows found for a key, and what they are among their equals.

    Args:
        index: The partition's position in the dataset.
        key: The key's position in `keys_of`.
        buckets: The number of buckets.
        folder: The validation's folder.
    """
    positions, copies = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.uint8)]
    for bucket in range(buckets):
        path = _found(folder, key, bucket)
        if path.exists():
            found = read_part(path, index)
            positions.append(found["position"].to_numpy())
            copies.append(found["copy"].to_numpy())
    return np.concatenate(positions), np.concatenate(copies)

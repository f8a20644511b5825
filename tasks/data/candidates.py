"""Which rows can have an equal at all: a cheap first look that spares comparing all rows on everything.

Equal rows agree in every set of their columns. So one set, best the primary key, is hashed to 64 bits for every row,
and only rows whose hash occurs again, a few in a hundred as a rule, are compared on everything
(`tasks.data.duplicates`). Each partition leaves its hashes in a file, range by range; one range at a time then meets,
so memory stays flat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.contract import Contract
from data_contracts.parsing import parse_table
from tasks.data.arrow_files import ARROW, read_arrow, save_arrow
from tasks.data.hashing import LANES, Words, hash_rows
from tasks.data.partitions import Partition, part_name, read_partition
from tasks.engine import Client, map_partitions
from tasks.references import DatasetRef

LOOKS, REPEATED = "looks", "repeated"
# Comparing so many hashes is one piece of work.
ROWS_PER_RANGE = 1_000_000
# At a time the hashes of a slice of it are compared, which stay in the processor's cache.
_SLICES = 16
# So many different hashes that occur again are more than the work on a partition should hold.
MOST_REPEATED = 4_000_000

_HASH = "hash"
_ENDS = b"ends"
# A table of so many slots tells for most rows at once that their hash does not occur again.
_SLOT_BITS = 20
# Slots for each row of a range, at least: one row in ten shares its slot with another hash.
_SLOTS_PER_ROW = 3

Columns = tuple[str, ...]


@dataclass(frozen=True)
class Candidates:
    """What the first look found.

    Attributes:
        folder: Where the hashes that occur again lie.
        rows: For each set of columns, how many rows at most have a hash that occurs again, null ones included; None
            where they are too many to be told from the others.
        ranges: How many ranges of hashes there are.
    """

    folder: Path
    rows: Mapping[Columns, int | None]
    ranges: int

    def of(self, columns: Columns, table: pa.Table) -> NDArray[np.int64]:
        """Return the positions, ascending, of the rows of a parsed table that may have an equal in a set of columns."""
        count = self.rows[columns]
        if count is None:
            return np.arange(table.num_rows)
        if not count:
            return np.empty(0, dtype=np.int64)
        hashes = _hashes(table, columns)
        place = self.folder / REPEATED / str(list(self.rows).index(columns))
        repeated = np.concatenate([_read(place / part_name(number, ARROW)) for number in range(self.ranges)])
        slots = np.zeros(1 << _SLOT_BITS, dtype=np.bool_)
        slots[_slot(repeated)] = True
        likely = np.flatnonzero(slots[_slot(hashes)])
        # The ranges are in order and each is sorted.
        found = np.minimum(np.searchsorted(repeated, hashes[likely]), len(repeated) - 1)
        return np.asarray(likely[repeated[found] == hashes[likely]])


def narrowest(contract: Contract) -> Columns:
    """Return the columns by which whole rows are first told apart: a key, else those of fixed width, else all."""
    if contract.key_rules:
        return contract.key_rules[0].columns
    fixed = tuple(column.name for column in contract.columns if column.logical_type not in {"string", "boolean"})
    return fixed or tuple(column.name for column in contract.columns)


def look_for_candidates(
    client: Client,
    raw: DatasetRef,
    partitions: Sequence[Partition],
    contract: Contract,
    sets: Sequence[Columns],
    folder: Path,
) -> Candidates:
    """Hash each set of columns over the whole dataset and find the hashes that occur again.

    Args:
        client: Who does the work.
        raw: The raw dataset.
        partitions: Its partitions.
        contract: How its columns are read.
        sets: Sets of columns, each once.
        folder: Where the hashes may lie while they are compared.
    """
    ranges = max(1, -(-raw.rows // ROWS_PER_RANGE))
    look = partial(_look, raw=raw, contract=contract, sets=tuple(sets), ranges=ranges, folder=folder)
    map_partitions(client, look, list(enumerate(partitions)), label="validate: keys")
    places = [(number, index) for number in range(len(sets)) for index in range(ranges)]
    search = partial(_search, ranges=ranges, partitions=len(partitions), folder=folder)
    found = map_partitions(client, search, places, label="validate: repeated keys")
    rows: dict[Columns, int | None] = {}
    for number, columns in enumerate(sets):
        counts = [count for (each, _), count in zip(places, found, strict=True) if each == number]
        different = sum(values for values, _ in counts)
        rows[columns] = None if different > MOST_REPEATED else sum(count for _, count in counts)
    return Candidates(folder, rows, ranges)


def _look(
    numbered: tuple[int, Partition],
    *,
    raw: DatasetRef,
    contract: Contract,
    sets: Sequence[Columns],
    ranges: int,
    folder: Path,
) -> None:
    """Leave the hashes of one partition, slice by slice."""
    index, partition = numbered
    wanted = list(dict.fromkeys(name for columns in sets for name in columns))
    table = read_partition(raw.folder, partition, wanted, dictionaries=True)
    parsed = parse_table(table, contract, wanted, dictionaries=True).table
    for number, columns in enumerate(sets):
        hashes = _hashes(parsed, columns)
        slices = ranges * _slices(ranges)
        # Sixteen bits are sorted by counting.
        slice_of = ((hashes >> np.uint64(32)) * np.uint64(slices) >> np.uint64(32)).astype(np.uint16)
        ends = np.cumsum(np.bincount(slice_of, minlength=slices)).tolist()
        hashes = hashes[np.argsort(slice_of, kind="stable")]
        left = pa.table({_HASH: hashes}).replace_schema_metadata({_ENDS: json.dumps(ends)})
        save_arrow(left, folder / LOOKS / str(number) / part_name(index, ARROW))


def _search(place: tuple[int, int], *, ranges: int, partitions: int, folder: Path) -> tuple[int, int]:
    """Leave the hashes of one range that occur more than once, ascending.

    Returns:
        How many such hashes there are, and how many rows at most have them.
    """
    number, index = place
    slices = _slices(ranges)
    parts: list[list[Words]] = [[] for _ in range(slices)]
    for each in range(partitions):
        left = read_arrow(folder / LOOKS / str(number) / part_name(each, ARROW))
        bounds, hashes = [0, *json.loads(left.schema.metadata[_ENDS])], left[_HASH].to_numpy()
        for part, begin in zip(parts, range(index * slices, (index + 1) * slices), strict=True):
            part.append(hashes[bounds[begin] : bounds[begin + 1]])
    found = [_repeated(np.concatenate(part)) for part in parts]
    repeated, rows = np.concatenate([hashes for hashes, _ in found]), sum(count for _, count in found)
    save_arrow(pa.table({_HASH: repeated}), folder / REPEATED / str(number) / part_name(index, ARROW))
    return len(repeated), rows


def _slices(ranges: int) -> int:
    """Return the slices of each range; all of them, numbered in sixteen bits, hold more rows than any disk."""
    return max(1, min(_SLICES, (1 << 16) // ranges))


def _repeated(hashes: Words) -> tuple[Words, int]:
    """Return the hashes that occur more than once, ascending, and how many rows at most have them.

    Every row writes itself into the slot of its hash. A row that does not find itself there afterwards shares the slot,
    with an equal hash or by chance; only those few are compared by their hashes.
    """
    slots = 1 << (_SLOTS_PER_ROW * len(hashes)).bit_length()
    slot = (hashes & np.uint64(slots - 1)).astype(np.int64)
    rows = np.arange(len(hashes), dtype=np.int32)
    owner = np.empty(slots, dtype=np.int32)
    owner[slot] = rows
    sharing = np.flatnonzero(owner[slot] != rows)
    shared = hashes[sharing]
    with_owner = shared[shared == hashes[owner[slot[sharing]]]]
    among = np.sort(shared)
    again = np.concatenate([with_owner, among[1:][among[1:] == among[:-1]]])
    # Each of these stands for one further row with its hash, and at most one more row comes before it.
    return np.unique(again), 2 * len(again)


def _hashes(table: pa.Table, columns: Columns) -> Words:
    return hash_rows([table[name] for name in columns], table.num_rows, LANES[0])


def _slot(hashes: Words) -> NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)


def _read(path: Path) -> Words:
    return np.asarray(read_arrow(path)[_HASH].to_numpy())

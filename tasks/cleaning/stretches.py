"""Ordering a dataset that memory cannot hold: its rows go to stretches of the whole order, each of which it can."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.cleaning.config import OrderedConfig
from tasks.cleaning.keys import Keys, bounds_between, evenly, joined, keys_of
from tasks.data.arrow_files import read_arrow, write_arrow
from tasks.data.partitions import Partition, read_manifest, read_partition
from tasks.engine import Client, map_partitions
from tasks.references import DatasetRef

# So many keys are looked at for each stretch, which says how evenly the rows are shared out.
_SAMPLES = 512
# The column of a spilled file, its last, that holds each row's place in the dataset; a contract may use any name.
_POSITION = "position"


@dataclass(frozen=True)
class Numbered:
    """A partition, its number, and how many rows of the dataset come before it."""

    partition: Partition
    number: int
    offset: int


@dataclass(frozen=True)
class Spilled:
    """A dataset's rows on the disk, by stretch of the whole order and by the partition that they came from.

    Attributes:
        folder: Where they are.
        by: The column that orders them.
        group: The columns that say which belong together.
        rows: int64 [partitions, stretches]; no file stands for 0. Every stretch has at least one row.
    """

    folder: Path
    by: str
    group: tuple[str, ...]
    rows: NDArray[np.int64]

    def read(self, stretch: int) -> tuple[pa.Table, Keys]:
        """Return the rows of a stretch, each column one chunk, and their keys, both in order."""
        parts = [
            read_arrow(self.folder / _name(each, stretch)) for each in np.flatnonzero(self.rows[:, stretch]).tolist()
        ]
        table = pa.concat_tables(parts)
        position = table.columns[-1].to_numpy()
        table = table.remove_column(table.num_columns - 1)
        keys = keys_of(table, self.by, self.group, position)
        order = keys.sorting()
        return table.take(pa.array(order)).combine_chunks(), keys.take(order)


def spill(client: Client, source: DatasetRef, config: OrderedConfig, folder: Path, stretch_rows: int) -> Spilled:
    """Share a dataset's rows out to stretches of the whole order.

    Args:
        client: Who does the work.
        source: The dataset.
        config: Its `by`, which is not None here, and `group`.
        folder: Where the rows are put; the caller removes it.
        stretch_rows: About how many rows a stretch has.
    """
    assert config.by is not None
    partitions = read_manifest(source).partitions
    offsets = accumulate((each.rows for each in partitions[:-1]), initial=0)
    numbered = [
        Numbered(each, index, before) for index, (each, before) in enumerate(zip(partitions, offsets, strict=True))
    ]
    stretches = max(1, -(-source.rows // stretch_rows))
    look = partial(_sample, source=source.folder, config=config, share=_SAMPLES * stretches / source.rows)
    samples = joined(map_partitions(client, look, numbered, label="order: look"))
    bounds = bounds_between(samples, stretches)
    work = partial(_spread, source=source.folder, config=config, bounds=bounds, folder=folder)
    rows = np.array(map_partitions(client, work, numbered, label="order: sort"), dtype=np.int64)
    assert rows.any(axis=0).all(), "a stretch between two different keys holds the first of them"
    return Spilled(folder, config.by, config.group, rows)


def _sample(numbered: Numbered, *, source: Path, config: OrderedConfig, share: float) -> Keys:
    columns = list(dict.fromkeys((str(config.by), *config.group)))
    keys = _keys(read_partition(source, numbered.partition, columns), numbered, config)
    return evenly(keys, min(len(keys), int(np.ceil(share * len(keys)))))


def _spread(numbered: Numbered, *, source: Path, config: OrderedConfig, bounds: Keys, folder: Path) -> list[int]:
    """Write a partition's rows to the stretches that they belong to and return how many went to each."""
    table = read_partition(source, numbered.partition)
    keys = _keys(table, numbered, config)
    table = table.append_column(_POSITION, pa.array(keys.position))
    order = keys.sorting()
    cuts = [0, *keys.take(order).cut_at(bounds).tolist(), len(keys)]
    for stretch, (start, stop) in enumerate(pairwise(cuts)):
        if stop > start:
            write_arrow(table.take(pa.array(order[start:stop])), folder / _name(numbered.number, stretch))
    return [int(rows) for rows in np.diff(cuts)]


def _keys(table: pa.Table, numbered: Numbered, config: OrderedConfig) -> Keys:
    position = np.arange(numbered.offset, numbered.offset + table.num_rows, dtype=np.int64)
    return keys_of(table, str(config.by), config.group, position)


def _name(partition: int, stretch: int) -> str:
    return f"{stretch:05d}/{partition:05d}.arrow"

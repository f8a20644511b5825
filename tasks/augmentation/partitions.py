"""One partition of the training split: measured, then written with rows repeated, left out and disturbed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.augmentation.classes import group_names, groups
from tasks.augmentation.draws import Draws
from tasks.augmentation.noise import Noise
from tasks.augmentation.rows import Matrices, noisy_copy, with_parents
from tasks.augmentation.statistics import Spread, TrainingStatistics, count_codes
from tasks.data.partitions import Partition, WrittenPartition, read_partition, write_partition
from tasks.preprocessing.constants import Preprocessing

Counts = NDArray[np.int64]

TRAIN = "train"


@dataclass(frozen=True)
class Part:
    """A partition of the training split.

    Attributes:
        index: Its place among the split's partitions.
        start: Position of its first row in the split.
        suspects: int64, its rows (from 0) that are left out as label noise, ascending.
    """

    index: int
    partition: Partition
    start: int
    suspects: NDArray[np.int64]

    def read(self, folder: Path) -> tuple[pa.Table, NDArray[np.int64]]:
        """Read the rows that are no label noise, and their positions in the split."""
        table = read_partition(folder, self.partition)
        kept = np.delete(np.arange(self.partition.rows), self.suspects)
        return (table.take(pa.array(kept)) if len(self.suspects) else table), kept + self.start


def parts_of(partitions: tuple[Partition, ...], suspects: NDArray[np.int64]) -> list[Part]:
    """Return the training split's partitions with the label noise of each.

    Args:
        partitions: The split's partitions in order.
        suspects: Positions of rows to leave out, ascending.
    """
    starts = np.cumsum([0, *(partition.rows for partition in partitions)])
    cuts = np.searchsorted(suspects, starts)
    return [
        Part(index, partition, int(starts[index]), suspects[cuts[index] : cuts[index + 1]] - starts[index])
        for index, partition in enumerate(partitions)
    ]


def measure_part(part: Part, *, source: Path, constants: Preprocessing) -> TrainingStatistics:
    """Measure one partition."""
    found = Matrices.of(part.read(source)[0], constants)
    classes = np.bincount(found.target, minlength=len(group_names(constants.target)))
    left_out = np.zeros_like(classes)
    if len(part.suspects):
        target = groups(read_partition(source, part.partition, constants.target.stored), constants.target)
        left_out = np.bincount(target[part.suspects], minlength=len(classes))
    return TrainingStatistics((classes,), left_out, Spread.of(found.numeric), count_codes(found.codes, constants))


@dataclass(frozen=True)
class Plan:
    """What happens to every row.

    Attributes:
        draws: How often each row occurs; None for once.
        noise: Noise of the added copies; None for no copies.
        copies: How many.
        seed: Decides the noise.
    """

    constants: Preprocessing
    draws: Draws | None
    noise: Noise | None
    copies: int
    seed: int

    def with_copies(self, table: pa.Table, stream: tuple[int, ...]) -> Iterator[pa.Table]:
        """Yield a table with parents, then each noisy copy of it.

        Args:
            table: The rows.
            stream: Numbers of its own for every table, so that each has other draws.
        """
        yield table
        if self.noise is not None:
            for copy in range(self.copies):
                generator = np.random.default_rng([self.seed, *stream, copy])
                yield noisy_copy(table, self.constants, self.noise, generator)

    def count(self, table: pa.Table) -> Counts:
        """Count a table's rows by class."""
        target = self.constants.target
        return np.bincount(groups(table, target), minlength=len(group_names(target)))


@dataclass(frozen=True)
class Outcome:
    """What became of one partition; counts are int64 [C], by class (`tasks.augmentation.classes.group_names`).

    Attributes:
        files: The written files, none of which has more rows than the partition had.
        repeated: Rows added by over-sampling or interpolation.
        dropped: Rows left out by under-sampling.
        noisy: Noisy copies.
        after: Rows written.
    """

    files: tuple[WrittenPartition, ...]
    repeated: Counts
    dropped: Counts
    noisy: Counts
    after: Counts


def write_part(numbered: tuple[Part, Counts], *, source: Path, plan: Plan, folder: Path) -> Outcome:
    """Write one partition of the augmented training split: the rows that were there, then those that are added.

    Args:
        numbered: The partition, and the rows of each class ahead of it.
        source: Folder of the features dataset.
        plan: What happens to the rows.
        folder: Folder of the new dataset.
    """
    part, before = numbered
    table, positions = part.read(source)
    target = groups(table, plan.constants.target)
    times = np.ones(len(target), dtype=np.int64) if plan.draws is None else plan.draws.occurrences(target, before)
    once, again = np.flatnonzero(times), np.repeat(np.arange(len(times)), np.maximum(times - 1, 0))
    rows, added = np.concatenate([once, again]), np.repeat([False, True], [len(once), len(again)])
    size = part.partition.rows
    stretches = (slice(start, start + size) for start in range(0, len(rows), size))
    tables = (
        with_parents(table.take(pa.array(rows[stretch])), positions[rows[stretch]], None, added[stretch])
        for stretch in stretches
    )
    files, noisy, after = write_tables(tables, f"part-{part.index:05d}", (0, part.index), plan, folder)
    classes = len(after)
    return Outcome(
        files,
        repeated=np.bincount(target[again], minlength=classes),
        dropped=np.bincount(target[times == 0], minlength=classes),
        noisy=noisy,
        after=after,
    )


def write_tables(
    tables: Iterable[pa.Table], name: str, stream: tuple[int, int], plan: Plan, folder: Path
) -> tuple[tuple[WrittenPartition, ...], Counts, Counts]:
    """Write tables with parents and their noisy copies, each as a file of its own, so that few are held at once.

    Args:
        tables: The tables, each of at least one row.
        name: What the files' names begin with.
        stream: Numbers of its own for every call, so that each has other draws.
        plan: For the noise.
        folder: Folder of the new dataset.

    Returns:
        The files; int64 [C], the noisy copies by class; int64 [C], all rows written by class.
    """
    files: list[WrittenPartition] = []
    noisy, after = (np.zeros(len(group_names(plan.constants.target)), dtype=np.int64) for _ in range(2))
    for number, table in enumerate(tables):
        for copy, whole in enumerate(plan.with_copies(table, (*stream, number))):
            path = f"{TRAIN}/{name}-{number:04d}-{copy:04d}.parquet"
            files.append(write_partition(folder, path, whole, TRAIN))
            written = plan.count(whole)
            after += written
            noisy += written if copy else 0
    return tuple(files), noisy, after

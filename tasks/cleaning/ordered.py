"""Cleaning of ordered data: the clean rows in order, filled and smoothed, and without those that still lack something.

The answer is that of the same work on one table in memory, however the rows come in. A stretch of the order
(`tasks.cleaning.stretches`) is cleaned by itself, with what it must know of its neighbours: for filling, the nearest
value before and behind; for smoothing, the last rows before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Contract
from tasks.cleaning.config import OrderedConfig
from tasks.cleaning.fill import Ends, Neighbour, ends_of, fill, neighbours
from tasks.cleaning.keys import Keys
from tasks.cleaning.smooth import smooth
from tasks.cleaning.stretches import Spilled, spill
from tasks.data.accounting import ACCOUNTING, read_accounting
from tasks.data.arrow_files import ARROW
from tasks.data.partitions import (
    DATASETS,
    Manifest,
    Partition,
    WrittenPartition,
    manifest_digest,
    part_name,
    read_manifest,
    read_partition,
    stored,
    write_manifest,
    write_partition,
)
from tasks.engine import Client, DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.preprocessing.columns import numeric_values, one_array
from tasks.references import DatasetRef
from tasks.storage import digest_file, new_folder, remove_folder, write_json

# Rows of a stretch; each thread holds two or three of them.
STRETCH_ROWS = 131_072
_SPILL = "spill"

_Around = Mapping[str, tuple[Neighbour | None, Neighbour | None]]


@dataclass(frozen=True)
class _Stretch:
    """One stretch of the order, what stands around it, and the stretches before it that smoothing looks back at."""

    index: int
    around: _Around
    before: tuple[_Stretch, ...] = ()


@dataclass(frozen=True)
class _Finished:
    """What became of the rows of a stretch; `written` is None where none is left."""

    written: WrittenPartition | None
    dropped: int


def run_ordered(
    clean: DatasetRef,
    contract: Contract,
    config: OrderedConfig,
    home: Path,
    dask: DaskConfig,
    stretch_rows: int = STRETCH_ROWS,
) -> DatasetRef:
    """Write the clean rows in order: group by group (in no order of their own), by the order column within each.

    Args:
        clean: The dataset; rows that are equal in group and order column keep its order.
        contract: Its contract.
        config: What is done, checked by `require_ordered`.
        home: Headrace's folder.
        dask: Where the work runs.
        stretch_rows: About how many rows are held at once by each thread.

    Raises:
        DataError: No row is left.
        IntegrityError: The row accounting does not reconcile, or the dataset is gone.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    with new_folder(home / DATASETS, manifest_digest) as folder, open_client(dask) as client:
        if config.by is None:
            finished = _drop_only(client, clean, config, folder)
        else:
            spilled = spill(client, clean, config, folder / _SPILL, stretch_rows)
            finished = _finish(client, spilled, config, folder)
            remove_folder(folder / _SPILL)
        written = [each.written for each in finished if each.written is not None]
        if not written:
            raise DataError(
                f"contract {contract.name}: no row is left: each of the {clean.rows} lacks a value in "
                f"{', '.join(config.drop_nulls)}\n  do: fill these columns, or take some out of `order.drop_nulls`"
            )
        _account(clean, sum(each.dropped for each in finished), folder)
        manifest = Manifest(
            columns=read_manifest(clean).columns,
            partitions=tuple(each.partition for each in written),
            digests={each.partition.path: each.digest for each in written}
            | {ACCOUNTING: digest_file(folder / ACCOUNTING)},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def _account(clean: DatasetRef, dropped: int, folder: Path) -> None:
    before = read_accounting(clean)
    update = {"kept": before.kept - dropped, "dropped_nulls": before.dropped_nulls + dropped}
    write_json(folder / ACCOUNTING, before.model_copy(update=update).reconciled().model_dump(mode="json"))


def _drop_only(client: Client, clean: DatasetRef, config: OrderedConfig, folder: Path) -> list[_Finished]:
    work = partial(_drop_partition, source=clean.folder, config=config, folder=folder)
    return map_partitions(client, work, list(enumerate(read_manifest(clean).partitions)), label="order")


def _drop_partition(numbered: tuple[int, Partition], *, source: Path, config: OrderedConfig, folder: Path) -> _Finished:
    index, partition = numbered
    return _write(index, read_partition(source, partition), config, folder)


def _finish(client: Client, spilled: Spilled, config: OrderedConfig, folder: Path) -> list[_Finished]:
    indices = range(spilled.rows.shape[1])
    around: list[_Around] = [{} for _ in indices]
    before: list[tuple[_Stretch, ...]] = [() for _ in indices]
    if config.columns:
        look = partial(_ends, spilled=spilled, config=config)
        ends = map_partitions(client, look, list(indices), label="order: ends")
        found = {name: neighbours([each[name] for each in ends]) for name in config.columns}
        around = [{name: each[index] for name, each in found.items()} for index in indices]
        windows = [column.smooth.window for column in config.columns.values() if column.smooth is not None]
        one = [next(iter(each.values())) for each in ends]
        needed = [_looked_back_at(one, index, max(windows, default=1) - 1) for index in indices]
        before = [tuple(_Stretch(each, around[each]) for each in back) for back in needed]
    stretches = [_Stretch(index, around[index], before[index]) for index in indices]
    work = partial(_finish_stretch, spilled=spilled, config=config, folder=folder)
    return map_partitions(client, work, stretches, label="order: clean")


def _ends(index: int, *, spilled: Spilled, config: OrderedConfig) -> dict[str, Ends]:
    table, keys = spilled.read(index)
    return {name: ends_of(one_array(table.column(name)), keys.group, keys.order) for name in config.columns}


def _looked_back_at(ends: Sequence[Ends], index: int, rows: int) -> list[int]:
    """Return the stretches, in order, that hold the `rows` rows of a stretch's first group that stand before it."""
    back: list[int] = []
    group = ends[index].first_group
    while rows > 0 and index > 0 and ends[index - 1].last_group == group:
        index -= 1
        back.insert(0, index)
        rows -= ends[index].rows
        if ends[index].first_group != group:
            break
    return back


def _finish_stretch(stretch: _Stretch, *, spilled: Spilled, config: OrderedConfig, folder: Path) -> _Finished:
    table, keys = _filled(stretch, spilled, config)
    smoothed = {name: column.smooth for name, column in config.columns.items() if column.smooth is not None}
    if smoothed:
        longest = max(each.window for each in smoothed.values()) - 1
        past, past_groups = _past(stretch, spilled, config, longest)
        groups = np.concatenate([past_groups, keys.group])
        for name, filter_ in smoothed.items():
            values = np.concatenate([numeric_values(each.column(name)) for each in (*past, table)])
            made = smooth(values, groups, filter_, first=len(past_groups))
            table = _with_column(table, name, pa.array(made, mask=np.isnan(made)))
    return _write(stretch.index, table, config, folder)


def _filled(stretch: _Stretch, spilled: Spilled, config: OrderedConfig) -> tuple[pa.Table, Keys]:
    table, keys = spilled.read(stretch.index)
    for name, column in config.columns.items():
        values = fill(one_array(table.column(name)), keys.group, keys.order, column, stretch.around[name])
        table = _with_column(table, name, values)
    return table, keys


def _past(stretch: _Stretch, spilled: Spilled, config: OrderedConfig, rows: int) -> tuple[list[pa.Table], np.ndarray]:
    """Return the filled rows before a stretch that its filters look back at, and the group of each, uint64."""
    tables: list[pa.Table] = []
    groups = [np.empty(0, dtype=np.uint64)]
    for each in stretch.before:
        table, keys = _filled(each, spilled, config)
        last = np.arange(max(0, table.num_rows - rows), table.num_rows)
        # Taken, not sliced, so that the whole stretch is not held for its last rows.
        tables.append(table.take(pa.array(last)))
        groups.append(keys.group[last])
    return tables, np.concatenate(groups)


def _with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), table.schema.field(name), values)


def _write(index: int, table: pa.Table, config: OrderedConfig, folder: Path) -> _Finished:
    kept = table
    for name in config.drop_nulls:
        kept = kept.filter(pc.is_valid(kept.column(name)))
    written = write_partition(folder, part_name(index, ARROW), kept) if kept.num_rows else None
    return _Finished(written, table.num_rows - kept.num_rows)

"""Instants that were not yet known: of rows after the run's reference time, of values after their row's own event."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.partitions import Partition, read_manifest
from tasks.data.split import read_split_partition
from tasks.engine import Client, merge_partitions
from tasks.leakage.plan import LeakagePlan
from tasks.preprocessing.calendar import MICROSECONDS_PER_DAY
from tasks.preprocessing.columns import instants, one_array
from tasks.references import DatasetRef, SplitRef

Bools = NDArray[np.bool_]


def late_rows(
    table: pa.Table, codes: NDArray[np.uint8], plan: LeakagePlan, test_begins: int | None
) -> Mapping[str, Bools]:
    """Say which rows hold an instant that they should not, by the name of the finding.

    A null is never late. Where a date meets a timestamp, only whole days are compared.

    Args:
        table: The plan's columns.
        codes: uint8 [rows], each row's place in `tasks.data.split.SPLITS`.
        plan: What is looked for.
        test_begins: For a split by time, the test split's first instant, microseconds since 1970 UTC.

    Returns:
        A bool mask [rows] for each check that the plan asks for.
    """
    late: dict[str, Bools] = {}
    if plan.now is not None and plan.moment is not None:
        late[f"after-now:{plan.moment}"] = _there(table[plan.moment]) & (_micros(table[plan.moment]) > plan.now)
    if plan.instants and plan.moment is not None:
        late |= {f"after-event:{name}": _later(table[name], table[plan.moment]) for name in plan.instants}
    if plan.time_split is not None and test_begins is not None:
        too_late = _micros(table[plan.time_split]) >= test_begins
        late[f"train-after-test:{plan.time_split}"] = _there(table[plan.time_split]) & (codes == 0) & too_late
    return late


def first_of_test(client: Client, clean: DatasetRef, split: SplitRef, column: str) -> int | None:
    """Return the test split's first instant in microseconds since 1970 UTC, or None where it has none."""
    work = partial(_first, clean=clean, split=split, column=column)
    partitions = list(enumerate(read_manifest(clean).partitions))
    return merge_partitions(client, work, partitions, _earlier, label="leakage: time")


def _first(numbered: tuple[int, Partition], *, clean: DatasetRef, split: SplitRef, column: str) -> int | None:
    there = one_array(read_split_partition(numbered, clean, split, "test", [column])[column]).drop_null()
    return int(instants(there).min()) if len(there) else None


def _earlier(first: int | None, second: int | None) -> int | None:
    known = [instant for instant in (first, second) if instant is not None]
    return min(known, default=None)


def _later(column: pa.ChunkedArray, event: pa.ChunkedArray) -> Bools:
    values, events = _micros(column), _micros(event)
    if pa.types.is_date(column.type) or pa.types.is_date(event.type):
        values, events = values // MICROSECONDS_PER_DAY, events // MICROSECONDS_PER_DAY
    return _there(column) & _there(event) & (values > events)


def _micros(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return instants(one_array(column))


def _there(column: pa.ChunkedArray) -> Bools:
    return np.asarray(column.is_valid().to_numpy(), dtype=np.bool_)

"""Filling what is missing from the rows before and behind, and what a stretch of rows tells its neighbours for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.cleaning.config import OrderedColumn


@dataclass(frozen=True)
class Neighbour:
    """The nearest value of a group outside a stretch of rows.

    Attributes:
        group: The group's hash.
        value: The value, an array of one.
        order: The value of the order column beside it.
        away: How many rows it is from the nearest row of the stretch; 1 or more.
    """

    group: int
    value: pa.Array
    order: Any
    away: int


@dataclass(frozen=True)
class Ends:
    """What the neighbours of a stretch must know of one of its columns.

    Attributes:
        rows: The stretch's rows, 1 or more.
        first_group: The group of its first row.
        last_group: The group of its last row; where it is the first too, the stretch holds nothing else.
        head: The first value of the first group, seen from the stretch before; None where there is none.
        tail: The last value of the last group, seen from the stretch behind.
    """

    rows: int
    first_group: int
    last_group: int
    head: Neighbour | None
    tail: Neighbour | None


def ends_of(values: pa.Array, groups: NDArray[np.uint64], order: NDArray[Any]) -> Ends:
    """Return the ends of a stretch of at least one row, in order."""
    rows = len(values)
    there = values.is_valid().to_numpy(zero_copy_only=False)
    first, last = groups[0], groups[-1]
    in_first, in_last = np.flatnonzero(there & (groups == first)), np.flatnonzero(there & (groups == last))

    def neighbour(row: int, group: np.uint64, away: int) -> Neighbour:
        return Neighbour(int(group), values.take(pa.array([row])), order[row], away)

    head = neighbour(int(in_first[0]), first, int(in_first[0]) + 1) if len(in_first) else None
    tail = neighbour(int(in_last[-1]), last, rows - int(in_last[-1])) if len(in_last) else None
    return Ends(rows, int(first), int(last), head, tail)


def neighbours(ends: Sequence[Ends]) -> list[tuple[Neighbour | None, Neighbour | None]]:
    """Return for each stretch, in order, the nearest values before and behind it that its first and last group need."""
    before = _carried([(each, each.first_group, each.tail) for each in ends])
    behind = _carried([(each, each.last_group, each.head) for each in reversed(ends)])
    return list(zip(before, reversed(behind), strict=True))


def _carried(ends: Sequence[tuple[Ends, int, Neighbour | None]]) -> list[Neighbour | None]:
    """Carry the nearest value along; each stretch comes with the group that it begins with and what it hands on."""
    carried: list[Neighbour | None] = []
    held: Neighbour | None = None
    for stretch, group, handed in ends:
        held = held if held is not None and held.group == group else None
        carried.append(held)
        if handed is not None:
            held = handed
        elif held is not None and stretch.first_group == stretch.last_group:
            held = replace(held, away=held.away + stretch.rows)
        else:
            held = None
    return carried


def fill(
    values: pa.Array,
    groups: NDArray[np.uint64],
    order: NDArray[Any],
    config: OrderedColumn,
    around: tuple[Neighbour | None, Neighbour | None] = (None, None),
) -> pa.Array:
    """Fill a column of a stretch of rows in order.

    Args:
        values: [N], null where there is no value.
        groups: uint64 [N], the group of each row; equal ones stand together.
        order: [N], the order column.
        config: How to fill.
        around: The nearest values before and behind the stretch (`neighbours`).
    """
    if not values.null_count or config.fill is None:
        return values
    before, behind = around
    rows = np.arange(len(values), dtype=np.int64)
    start = 0
    # The values around stand as further rows, as far away as they are.
    if before is not None:
        values, groups = pa.concat_arrays([before.value, values]), np.insert(groups, 0, np.uint64(before.group))
        rows, order, start = np.insert(rows, 0, -before.away), np.insert(order, 0, before.order), 1
    stop = len(values)
    if behind is not None:
        values, groups = pa.concat_arrays([values, behind.value]), np.append(groups, np.uint64(behind.group))
        rows, order = np.append(rows, rows[-1] + behind.away), np.append(order, behind.order)
    there = values.is_valid().to_numpy(zero_copy_only=False)
    return _filled(values, config, _nearest(there, groups), rows, order).slice(start, stop - start)


def _filled(
    values: pa.Array,
    config: OrderedColumn,
    nearest: tuple[NDArray[np.int64], NDArray[np.int64]],
    rows: NDArray[np.int64],
    order: NDArray[Any],
) -> pa.Array:
    last, following = nearest
    limit = np.iinfo(np.int64).max if config.limit is None else config.limit
    if config.fill in {"ffill", "bfill"}:
        source = last if config.fill == "ffill" else following
        near = (source >= 0) & (np.abs(rows - rows[source]) <= limit)
        return values.take(pa.array(source, mask=~near))
    there = values.is_valid().to_numpy(zero_copy_only=False)
    gaps = np.flatnonzero(~there & (last >= 0) & (following >= 0) & (rows - rows[last] <= limit))
    made = values.fill_null(np.nan).to_numpy(zero_copy_only=False).copy()
    low, high = made[last[gaps]], made[following[gaps]]
    scale = (rows if config.fill == "linear" else order).astype(np.float64)
    begin, end = scale[last[gaps]], scale[following[gaps]]
    # Between two rows of one moment there is no distance: the earlier value stays.
    share = (scale[gaps] - begin) / np.where(end > begin, end - begin, 1.0)
    # Rounding must not lead beyond the two values, which may stand on a bound of the contract.
    made[gaps] = np.clip(low * (1.0 - share) + high * share, np.minimum(low, high), np.maximum(low, high))
    there[gaps] = True
    return pa.array(made, mask=~there)


def _nearest(there: NDArray[np.bool_], groups: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each row's nearest rows with a value in its group: up to itself, and from itself on; -1 for none."""
    rows = np.arange(len(there))
    last = np.maximum.accumulate(np.where(there, rows, -1))
    last[groups[last] != groups] = -1
    following = np.minimum.accumulate(np.where(there, rows, len(rows))[::-1])[::-1]
    following[following == len(rows)] = -1
    following[groups[following] != groups] = -1
    return last, following

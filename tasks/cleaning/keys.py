"""Where each row stands in the order of a whole dataset, and how that order is cut into stretches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.hashing import LANES, hash_rows
from tasks.preprocessing.columns import instants, one_array


@dataclass(frozen=True)
class Keys:
    """The place of each row: group, then order, then position.

    No two rows have the same key, so a cut between two keys falls between two rows even where a million are equal in
    all but their position. A group goes by its hash: the odds that any two of a million share one are 1 in 10^7.

    Attributes:
        group: uint64 [N].
        order: int64 [N] (days or microseconds for dates and timestamps), or float64 [N].
        position: int64 [N], the row's place in the dataset before it was ordered.
    """

    group: NDArray[np.uint64]
    order: NDArray[Any]
    position: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.position)

    def take(self, rows: NDArray[np.int64]) -> Keys:
        """Return the keys of some rows."""
        return Keys(self.group[rows], self.order[rows], self.position[rows])

    def sorting(self) -> NDArray[np.int64]:
        """Return the rows in order, int64 [N]."""
        return np.lexsort((self.position, self.order, self.group))

    def cut_at(self, bounds: Keys) -> NDArray[np.int64]:
        """Return where sorted keys are cut, int64 [len(bounds)]: the first row that is not before each bound."""
        cuts = np.empty(len(bounds), dtype=np.int64)
        for index in range(len(bounds)):
            low, high = _span(self.group, bounds.group[index], 0, len(self))
            low, high = _span(self.order, bounds.order[index], low, high)
            cuts[index], _ = _span(self.position, bounds.position[index], low, high)
        return cuts


def keys_of(table: pa.Table, by: str, group: Sequence[str], position: NDArray[np.int64]) -> Keys:
    """Return the keys of typed rows.

    Args:
        table: Rows with the columns `by` (without null) and `group`.
        by: The column that orders them.
        group: The columns that say which belong together.
        position: int64 [N].
    """
    column = one_array(table.column(by))
    if pa.types.is_temporal(column.type):
        order: NDArray[Any] = instants(column)
    else:
        order = column.to_numpy(zero_copy_only=False)
    hashed = hash_rows([table.column(name) for name in group], table.num_rows, LANES[0])
    return Keys(hashed, order, position)


def joined(keys: Sequence[Keys]) -> Keys:
    """Return the keys of several tables as one."""
    return Keys(
        np.concatenate([each.group for each in keys]),
        np.concatenate([each.order for each in keys]),
        np.concatenate([each.position for each in keys]),
    )


def evenly(keys: Keys, count: int) -> Keys:
    """Return so many of the keys, evenly spread over their order."""
    if not count or not len(keys):
        return keys.take(np.empty(0, dtype=np.int64))
    places = ((np.arange(count) + 0.5) * len(keys) / count).astype(np.int64)
    return keys.take(keys.sorting()[places])


def bounds_between(samples: Keys, stretches: int) -> Keys:
    """Return the first key of each stretch but the first, so that all hold about as many of the samples."""
    ordered = samples.take(samples.sorting())
    return ordered.take(np.arange(1, stretches) * len(ordered) // stretches)


def _span(values: NDArray[Any], value: Any, low: int, high: int) -> tuple[int, int]:
    part = values[low:high]
    return low + int(np.searchsorted(part, value, "left")), low + int(np.searchsorted(part, value, "right"))

"""The raw columns of some rows, as numbers and as categories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.partitions import DROPPED, Partition, read_partition
from tasks.preprocessing.columns import Categories, categories, numeric_values, one_array
from tasks.preprocessing.constants import CalendarPart

Places = NDArray[np.intp]
_Name = tuple[str, CalendarPart | None]


class RawRows:
    """Numbers and categories of a table's columns.

    Only the last are kept for the next that asks: to make others anew costs less than the memory that all would take.
    """

    def __init__(self, table: pa.Table, chosen: Places | None = None) -> None:
        """Take a table's rows.

        Args:
            table: The rows.
            chosen: The positions of those that count, ascending; all by default.
        """
        self._table = table
        self._chosen = chosen
        self._arrays: dict[str, pa.Array] = {}
        self._numbers: tuple[_Name, NDArray[np.float64]] | None = None
        self._categories: tuple[_Name, Categories] | None = None

    def __len__(self) -> int:
        return int(self._table.num_rows) if self._chosen is None else len(self._chosen)

    def array(self, column: str) -> pa.Array:
        """Return a column in one array, with the rows that were not chosen."""
        if column not in self._arrays:
            self._arrays[column] = one_array(self._table[column])
        return self._arrays[column]

    def numbers(self, column: str, part: CalendarPart | None = None) -> NDArray[np.float64]:
        """Return a column, or a calendar part of it, as float64 [N], NaN for null; not to be written to."""
        if self._numbers is not None and self._numbers[0] == (column, part):
            return self._numbers[1]
        values = numeric_values(self.array(column), part)
        if self._chosen is not None:
            values = values.take(self._chosen)
        self._numbers = (column, part), values
        return values

    def categories(self, column: str, part: CalendarPart | None = None) -> Categories:
        """Return a column, or a calendar part of it, as categories."""
        if self._categories is not None and self._categories[0] == (column, part):
            return self._categories[1]
        found = categories(self.array(column), part)
        if self._chosen is not None:
            found = Categories(found.values, found.positions.take(self._chosen))
        self._categories = (column, part), found
        return found


def read_as_it_stands(folder: Path, partition: Partition, columns: Sequence[str]) -> tuple[pa.Table, Places]:
    """Read all rows of a partition's file, and tell which of them belong to the dataset.

    To choose rows from what was made of a column is cheaper than to choose them from every raw column.

    Args:
        folder: The dataset's folder.
        partition: Which.
        columns: The columns to read, in this order; strings that repeat come as dictionaries.

    Returns:
        The rows, and the positions of those that belong to the dataset, ascending.

    Raises:
        IntegrityError: A file is gone, torn or altered.
    """
    table = read_partition(folder, partition.model_copy(update={"dropped": None}), columns, dictionaries=True)
    kept = np.ones(table.num_rows, dtype=np.bool_)
    if partition.dropped is not None:
        gone = Partition(path=partition.dropped, row_group=0, rows=table.num_rows - partition.rows)
        kept[read_partition(folder, gone)[DROPPED].to_numpy()] = False
    return table, np.flatnonzero(kept)

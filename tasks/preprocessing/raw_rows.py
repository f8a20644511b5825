"""The raw columns of a table, each looked at once however many features it gives."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.preprocessing.columns import Categories, categories, numeric_values, one_array
from tasks.preprocessing.constants import CalendarPart


class RawRows:
    """Numbers and categories of a table's columns, kept for the next that asks."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._arrays: dict[str, pa.Array] = {}
        self._numbers: dict[tuple[str, CalendarPart | None], NDArray[np.float64]] = {}
        self._categories: dict[tuple[str, CalendarPart | None], Categories] = {}

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def array(self, column: str) -> pa.Array:
        """Return a column in one array."""
        if column not in self._arrays:
            self._arrays[column] = one_array(self._table[column])
        return self._arrays[column]

    def numbers(self, column: str, part: CalendarPart | None = None) -> NDArray[np.float64]:
        """Return a column, or a calendar part of it, as float64 [N], NaN for null; not to be written to."""
        if (column, part) not in self._numbers:
            self._numbers[column, part] = numeric_values(self.array(column), part)
        return self._numbers[column, part]

    def categories(self, column: str, part: CalendarPart | None = None) -> Categories:
        """Return a column, or a calendar part of it, as categories."""
        if (column, part) not in self._categories:
            self._categories[column, part] = categories(self.array(column), part)
        return self._categories[column, part]

"""Groups: the values of a column, or ranges of them, as slices of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.preprocessing.columns import instants, nulls_of, one_array

NO_VALUE = "no value"

# A column of so few numbers is taken number by number: weekdays, ratings, years.
_FEW = 20


@dataclass(frozen=True)
class Groups:
    """One column's groups; every row is in one.

    Attributes:
        column: The raw column.
        names: Of the groups, for people.
        place: int64 `[N]`, the row's group, a position in `names`.
    """

    column: str
    names: tuple[str, ...]
    place: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """How many rows each group has."""
        return np.bincount(self.place, minlength=len(self.names))

    def members(self) -> list[NDArray[np.int64]]:
        """Return the rows of each group, ascending."""
        order = np.argsort(self.place, kind="stable")
        return np.split(order, np.cumsum(self.rows)[:-1])

    def masked(self) -> Groups:
        """Return the groups without what their names tell."""
        return replace(self, names=tuple(f"group {place + 1}" for place in range(len(self.names))))


def groups_of(name: str, column: pa.ChunkedArray | pa.Array, bins: int) -> Groups:
    """Group rows by a column.

    Texts and booleans are grouped by value, and so are numbers of at most 20 distinct values. Other numbers and
    instants are cut at their quantiles. Rows without a value, or with an empty text, are a group of their own.

    Args:
        name: The column's name.
        column: Its values, typed as the contract says.
        bins: How many ranges to cut numbers and instants into; equal quantiles make them fewer.
    """
    array = one_array(column)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    if pa.types.is_string(array.type):
        return _by_value(name, pc.if_else(pc.equal(array, ""), pa.scalar(None, array.type), array))
    if pa.types.is_boolean(array.type):
        return _by_value(name, array)
    if not pa.types.is_temporal(array.type) and pc.count_distinct(array).as_py() <= _FEW:
        return _by_value(name, array)
    return _by_range(name, array, bins)


def _by_value(name: str, array: pa.Array) -> Groups:
    values = array.unique().drop_null()
    values = values.take(pc.sort_indices(values))
    place = pc.index_in(array, values).fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
    return _closed(name, [_text(value) for value in values.to_pylist()], place)


def _by_range(name: str, array: pa.Array, bins: int) -> Groups:
    missing = nulls_of(array)
    temporal = pa.types.is_temporal(array.type)
    numbers = instants(array) if temporal else array.cast(pa.float64(), safe=False).fill_null(0).to_numpy()
    known = numbers[~missing]
    if not len(known):
        return _closed(name, [], np.zeros(len(array), np.int64))
    # A quantile that is itself a value: a range says from where to where there are rows.
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1), method="inverted_cdf"))
    inner = edges[1:-1]
    place = np.searchsorted(inner, numbers, side="right").astype(np.int64)
    place[missing] = len(inner) + 1
    shown = _instants(edges) if temporal else [f"{edge:.6g}" for edge in edges]
    return _closed(name, _ranges(shown), place)


def _instants(edges: NDArray[np.int64]) -> list[str]:
    """Write instants as short as all of them allow: days, or seconds."""
    exact = edges.astype("datetime64[us]")
    days = exact.astype("datetime64[D]")
    return [str(each) for each in (days if (days == exact).all() else exact.astype("datetime64[s]"))]


def _ranges(edges: Sequence[str]) -> list[str]:
    if len(edges) == 1:
        return [edges[0]]
    last = len(edges) - 2
    ends = (f"{edges[at]} to {'' if at == last else 'below '}{edges[at + 1]}" for at in range(last + 1))
    return list(ends)


def _closed(name: str, names: list[str], place: NDArray[np.int64]) -> Groups:
    """Give the rows behind the last group, which have no value, their name."""
    without = [NO_VALUE] if len(place) and place.max() == len(names) else []
    return Groups(name, (*names, *without), place)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

"""The search for the slices on which a model is worst.

After Slice Finder (Chung, Kraska, Polyzotis, Tae and Whang, "Slice Finder: Automated Data Slicing for Model
Validation", ICDE 2019): slices are values of one column, or of two together, and one counts if its loss is greater
than that of all other rows by Welch's test. Two differences: the false finds among many tests are bounded by the
procedure of Benjamini and Hochberg (1995) in place of alpha-investing, and slices are ranked by the lower end of the
difference's interval, in the loss's own unit, in place of their size: the smallest slices have the greatest differences
by chance. As there, the simpler slice is preferred: a pair is told only where it is worse than either of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.slices.groups import Groups

# Of a column, only so many groups, its largest, are tried.
MOST_GROUPS = 50
# Of so many columns at most every two are tried together: of thousands, pairs would be millions.
MOST_PAIRED = 100

_TINY = float(np.finfo(np.float64).tiny)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Slice:
    """Rows that share the value of one column, or of two.

    Attributes:
        values: Column and group, for one column or two.
        rows: Positions of its rows, int64 ascending.
        loss: Their mean loss.
        rest: That of all other rows.
        interval: Of the difference of the two (Welch); of this slice alone, whatever else was tried.
        p_value: Of Welch's one-sided test, adjusted for the number of slices that were tried.
    """

    values: tuple[tuple[str, str], ...]
    rows: NDArray[np.int64]
    loss: float
    rest: float
    interval: tuple[float, float]
    p_value: float

    @property
    def difference(self) -> float:
        """By how much the mean loss is greater than that of the rest."""
        return self.loss - self.rest


@dataclass(frozen=True)
class _Tried:
    """Slices of one column or of two, float64 `[S]` each but for the first two.

    Attributes:
        columns: int64 `[S, 2]`, positions of the columns; the second is -1 where there is one.
        groups: int64 `[S, 2]`, the group of each.
        rows: How many rows each slice has.
        sums: Of their losses.
        squares: Of their squared losses.
    """

    columns: NDArray[np.int64]
    groups: NDArray[np.int64]
    rows: Floats
    sums: Floats
    squares: Floats

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class _Tested:
    """Welch's test of slices against all other rows, float64 `[S]` each."""

    mean: Floats
    rest: Floats
    reach: Floats
    p_value: Floats

    @property
    def difference(self) -> Floats:
        return self.mean - self.rest


def worst_slices(
    groups: Sequence[Groups], losses: Floats, *, min_rows: int, find: int, confidence: float
) -> tuple[list[Slice], int]:
    """Look for the slices with the greatest loss.

    Args:
        groups: One for each column.
        losses: Each row's, float64 `[N]`.
        min_rows: Smaller slices are not tried, nor those that leave fewer rows out.
        find: How many to return at most.
        confidence: Of the intervals; its complement is the share of false finds that is accepted.

    Returns:
        The slices, that with the greatest difference at the lower end of its interval first, and how many were tried.
    """
    codes = [_largest(each, min_rows) for each in groups]
    # Squares of what is far from zero would lose the digits that variances are about.
    centred = losses - losses.mean()
    tried = _every(codes, centred, min_rows)
    if not len(tried):
        return [], 0
    tested = _welch(tried, centred, confidence)
    adjusted = stats.false_discovery_control(tested.p_value)
    worse = np.flatnonzero((adjusted <= 1 - confidence) & (tested.difference > 0))
    ranked = worse[np.argsort(tested.reach[worse] - tested.difference[worse], kind="stable")]
    parts = _of_one_column(tried, tested)
    found: list[Slice] = []
    for at in ranked[[_beyond_its_parts(tried, tested, int(at), parts) for at in ranked]][:find] if len(ranked) else ():
        values = [(groups[c], int(g)) for c, g in zip(tried.columns[at], tried.groups[at], strict=True) if c >= 0]
        difference, reach = float(tested.difference[at]), float(tested.reach[at])
        found.append(
            Slice(
                values=tuple((each.column, each.names[group]) for each, group in values),
                rows=np.flatnonzero(np.logical_and.reduce([each.place == group for each, group in values])),
                loss=float(losses.mean() + tested.mean[at]),
                rest=float(losses.mean() + tested.rest[at]),
                interval=(difference - reach, difference + reach),
                p_value=float(adjusted[at]),
            )
        )
    return found, len(tried)


def _largest(groups: Groups, min_rows: int) -> NDArray[np.int64]:
    """Return each row's group, -1 for those that are too small or beyond the largest ones."""
    rows = groups.rows
    tried = np.full(len(rows), -1)
    largest = np.argsort(-rows, kind="stable")[:MOST_GROUPS]
    tried[largest] = largest
    tried[rows < min_rows] = -1
    return np.asarray(tried[groups.place], dtype=np.int64)


def _every(codes: Sequence[NDArray[np.int64]], losses: Floats, min_rows: int) -> _Tried:
    places = range(len(codes))
    parts = [_sums((a, -1), codes[a], np.zeros(len(losses), np.int64), losses) for a in places]
    parts += [_sums((a, b), codes[a], codes[b], losses) for a, b in combinations(_paired(parts), 2)]
    if not parts:
        return _sums((-1, -1), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    columns, groups, rows, sums, squares = (
        np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(_Tried)
    )
    large = (rows >= min_rows) & (len(losses) - rows >= min_rows)
    return _Tried(columns[large], groups[large], rows[large], sums[large], squares[large])


def _paired(parts: Sequence[_Tried]) -> list[int]:
    """Return the columns that are tried in twos: where they are many, those whose own groups differ most in loss."""
    if len(parts) <= MOST_PAIRED:
        return [*range(len(parts))]
    strength = [float(np.max(np.abs(part.sums) / np.sqrt(part.rows), initial=0.0)) for part in parts]
    return sorted(np.argsort(-np.array(strength), kind="stable")[:MOST_PAIRED].tolist())


def _sums(columns: tuple[int, int], first: NDArray[np.int64], second: NDArray[np.int64], losses: Floats) -> _Tried:
    inside = np.flatnonzero((first >= 0) & (second >= 0))
    width = int(second.max(initial=0)) + 1
    codes, place, rows = np.unique(first[inside] * width + second[inside], return_inverse=True, return_counts=True)
    chosen = losses[inside]
    return _Tried(
        columns=np.tile(np.array(columns), (len(codes), 1)),
        groups=np.stack(np.divmod(codes, width), axis=1),
        rows=rows.astype(np.float64),
        sums=np.bincount(place, weights=chosen, minlength=len(codes)).astype(np.float64),
        squares=np.bincount(place, weights=chosen**2, minlength=len(codes)).astype(np.float64),
    )


def _welch(tried: _Tried, losses: Floats, confidence: float) -> _Tested:
    """Test every slice against all other rows (Welch, 1947); the losses have mean 0."""
    rows, others = tried.rows, len(losses) - tried.rows
    mean, rest = tried.sums / rows, (losses.sum() - tried.sums) / others
    inside = np.maximum(tried.squares - rows * mean**2, 0) / (rows - 1) / rows
    outside = np.maximum((losses**2).sum() - tried.squares - others * rest**2, 0) / (others - 1) / others
    # Losses that are all alike differ for certain, or not at all.
    error = np.maximum(np.sqrt(inside + outside), _TINY)
    freedom = (inside + outside) ** 2 / np.maximum(inside**2 / (rows - 1) + outside**2 / (others - 1), _TINY)
    freedom = np.maximum(freedom, 1.0)
    reach = stats.t.ppf((1 + confidence) / 2, freedom) * error
    return _Tested(mean, rest, reach, stats.t.sf((mean - rest) / error, freedom))


def _of_one_column(tried: _Tried, tested: _Tested) -> dict[tuple[int, int], float]:
    """Return the difference of every slice of one column, by column and group."""
    single = np.flatnonzero(tried.columns[:, 1] < 0)
    return {
        (int(tried.columns[at, 0]), int(tried.groups[at, 0])): float(tested.difference[at]) for at in single.tolist()
    }


def _beyond_its_parts(tried: _Tried, tested: _Tested, at: int, parts: Mapping[tuple[int, int], float]) -> bool:
    """Tell whether a slice of two columns is worse than that of either alone."""
    if tried.columns[at, 1] < 0:
        return True
    keys = zip(tried.columns[at].tolist(), tried.groups[at].tolist(), strict=True)
    return all(tested.difference[at] > parts.get(key, -np.inf) for key in keys)

"""Which rows are repeated or left out: exact numbers, decided row by row, whatever the partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.hashing import hash_rows, seed_of

_PORTION = 1 << 20
_TOP_BITS = 16


@dataclass(frozen=True)
class Draws:
    """How often each row of a class occurs: `whole[class]` times, and once more where its hash is below a threshold.

    A row's hash is that of its rank, its position among the rows of its class. Distinct ranks have distinct hashes
    (each round of the mixing is a bijection), so a threshold picks an exact number of rows.

    Attributes:
        whole: int64 [C].
        thresholds: uint64 [C].
        seeds: The starting state of each class's hashes.
    """

    whole: NDArray[np.int64]
    thresholds: NDArray[np.uint64]
    seeds: tuple[int, ...]

    @classmethod
    def of(cls, counts: NDArray[np.int64], wanted: NDArray[np.int64], seed: int) -> Draws:
        """Decide how the rows of each class become as many as wanted; a class without rows stays without."""
        seeds = tuple(seed_of(f"balance {seed} {place}") for place in range(len(counts)))
        whole, rest = np.divmod(wanted, np.maximum(counts, 1))
        thresholds = [
            threshold(int(rows), int(chosen), state) for rows, chosen, state in zip(counts, rest, seeds, strict=True)
        ]
        return cls(whole, np.asarray(thresholds, dtype=np.uint64), seeds)

    def occurrences(self, target: NDArray[np.int64], before: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each row of a stretch occurs, int64 [N].

        Args:
            target: Classes of the stretch's rows, int64 [N].
            before: Rows of each class ahead of the stretch.
        """
        found = np.zeros(len(target), dtype=np.int64)
        for place in np.unique(target):
            rows = np.flatnonzero(target == place)
            hashes = _hashes(int(before[place]), len(rows), self.seeds[place])
            found[rows] = self.whole[place] + (hashes < self.thresholds[place])
        return found


def threshold(rows: int, chosen: int, state: int) -> int:
    """Return the number below which exactly `chosen` of the hashes of the ranks `0 .. rows - 1` lie.

    Two walks in portions: the first counts the hashes by their leading bits, the second sorts those that share the
    leading bits of the answer. Memory stays that of one portion, and of some ten-thousandths of the rows.

    Args:
        rows: How many ranks there are.
        chosen: Less than `rows`, or 0.
        state: The starting state of the hashes.
    """
    if not chosen:
        return 0
    shift = np.uint64(64 - _TOP_BITS)
    tops = np.zeros(1 << _TOP_BITS, dtype=np.int64)
    starts = range(0, rows, _PORTION)
    for start in starts:
        hashes = _hashes(start, min(_PORTION, rows - start), state)
        tops += np.bincount((hashes >> shift).astype(np.int64), minlength=len(tops))
    ends = np.cumsum(tops)
    top = int(np.searchsorted(ends, chosen, side="right"))
    near = []
    for start in starts:
        hashes = _hashes(start, min(_PORTION, rows - start), state)
        near.append(hashes[(hashes >> shift) == np.uint64(top)])
    return int(np.sort(np.concatenate(near))[chosen - (ends[top] - tops[top])])


def _hashes(start: int, rows: int, state: int) -> NDArray[np.uint64]:
    return hash_rows([pa.array(np.arange(start, start + rows, dtype=np.int64))], rows, state)

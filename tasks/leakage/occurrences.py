"""Which values occur in which split, in bounded memory: exact while they fit, then a fair sample of the values.

Every distinct value (a row, a group) is known by a 62-bit hash. Those whose hash is below a bound are kept with exact
counts, and where they are more than `limit`, the bound sinks to leave just so many: the theta sketch of Dasgupta, Lang,
Rhodes and Thaler, "A Framework for Estimating Stream Expression Cardinalities" (2016). The last bound is the same
whichever parts met first, so parts merge in any order to the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.data.split import SPLITS

Words = NDArray[np.uint64]
Counts = NDArray[np.int64]

# 16 bytes for each value and split: at most 6 MiB.
LIMIT = 1 << 17
ALL = 1 << 64
# Of many more rows than are kept, most need not even be counted; this many times the limit are, were all distinct.
_COUNTED = 4

_CODE_BITS = np.uint64(2)
_CODE = np.uint64(3)


@dataclass(frozen=True)
class Occurrences:
    """Rows of each value in each split.

    Attributes:
        keys: uint64 [K], ascending and distinct: the hash's upper 62 bits, then the split's place in `SPLITS`.
        counts: int64 [K], rows.
        below: Every value whose hash is below it is there, and no other; `ALL` where none was left out.
    """

    keys: Words
    counts: Counts
    below: int = ALL

    @classmethod
    def of(cls, hashes: Words, codes: NDArray[np.uint8], below: int = ALL, limit: int = LIMIT) -> Occurrences:
        """Count values by their hashes, uint64 [N], and their rows' splits, uint8 [N] below 3.

        Args:
            hashes: The values.
            codes: The splits.
            below: Leave out values from this hash on.
            limit: Keep at most so many values.
        """
        if below < ALL:
            counted = hashes < np.uint64(below)
            hashes, codes = hashes[counted], codes[counted]
        keys, counts = np.unique((hashes & ~_CODE) | codes.astype(np.uint64), return_counts=True)
        return cls(keys, counts.astype(np.int64), below).bounded(limit)

    def merge(self, other: Occurrences, limit: int = LIMIT) -> Occurrences:
        """Return the occurrences in both sets of rows together."""
        below = min(self.below, other.below)
        first, second = self._cut(below), other._cut(below)
        keys = np.concatenate([first.keys, second.keys])
        counts = np.concatenate([first.counts, second.counts])
        # Both halves are sorted, which a stable sort of integers makes use of.
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] ^ np.uint64(1)))
        summed = np.add.reduceat(counts[order], starts) if len(starts) else counts
        return Occurrences(keys[starts], summed, below).bounded(limit)

    def bounded(self, limit: int) -> Occurrences:
        """Return these occurrences without all but the `limit` values of the least hashes."""
        starts = self._starts()
        return self if len(starts) <= limit else self._cut(int(self.keys[starts[limit]] & ~_CODE))

    @property
    def complete(self) -> bool:
        """No value has been left out."""
        return self.below == ALL

    def by_value(self) -> tuple[Words, Counts]:
        """Return the kept values' hashes, uint64 [V] ascending with the two last bits zero, and int64 [V, 3] rows."""
        starts = self._starts()
        values = self.keys[starts] & ~_CODE
        table = np.zeros((len(values), len(SPLITS)), dtype=np.int64)
        position = np.repeat(np.arange(len(values)), np.diff(starts, append=len(self.keys)))
        table[position, (self.keys & _CODE).astype(np.int64)] = self.counts
        return values, table

    @property
    def distinct(self) -> float:
        """Number of distinct values, estimated from the bound where some were left out."""
        return len(self._starts()) * (ALL / self.below)

    def _cut(self, below: int) -> Occurrences:
        if below >= self.below:
            return self
        end = int(np.searchsorted(self.keys, np.uint64(below)))
        return Occurrences(self.keys[:end], self.counts[:end], below)

    def _starts(self) -> NDArray[np.int64]:
        values = self.keys >> _CODE_BITS
        if not len(values):
            return np.empty(0, dtype=np.int64)
        return np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1]).astype(np.int64)


def bound_for(rows: int, limit: int = LIMIT) -> int:
    """Return below which hash the values of so many rows need to be counted."""
    # A bound between two values: the last two bits are no part of a hash.
    return ALL if rows <= _COUNTED * limit else ALL * _COUNTED * limit // rows & ~3


def known(values: Words, hashes: Words) -> NDArray[np.bool_]:
    """Tell which hashes, uint64 [N], are those of values as `Occurrences.by_value` returns them."""
    return np.isin(hashes & ~_CODE, values)

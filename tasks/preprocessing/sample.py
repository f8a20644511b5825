"""A sample of the training rows, drawn in the same pass that counts, for what is fitted to rows and not to columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RowSample:
    """Raw numbers of some training rows, float64 [S, columns] with NaN for null."""

    rows: NDArray[np.float64]

    def merge(self, later: RowSample) -> RowSample:
        """Return both samples, the earlier rows first."""
        return RowSample(np.concatenate([self.rows, later.rows]))


def draw(partition: int, rows: int, share: float, seed: int) -> NDArray[np.intp]:
    """Return the positions of the rows drawn from a partition, each row with probability `share`.

    They depend on the seed and on the partition's place alone.
    """
    return np.flatnonzero(np.random.default_rng([seed, partition]).random(rows) < share)

"""Metrics of an order: how far up the rows that are meant stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.metrics.weighted import Floats, divided


@dataclass(frozen=True)
class Ranking:
    """Rows in the order of a score, sorted once for any number of weightings.

    Attributes:
        order: Positions of the rows by ascending score, int64 `[N]`.
        positive: Whether each row of that order is meant, bool `[N]`.
        starts: Where in that order each new value of the score begins.
    """

    order: NDArray[np.int64]
    positive: NDArray[np.bool_]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, truth: NDArray[np.bool_], score: Floats) -> Ranking:
        """Sort rows by a score; `truth` is bool `[N]`, `score` float64 `[N]`."""
        order = np.argsort(score, kind="stable")
        ascending = score[order]
        starts = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
        return cls(order, truth[order], starts)

    def roc_auc(self, weights: Floats) -> Floats:
        """Return the areas under the ROC curve `[B]`: the share of pairs in order, ties counted half.

        NaN where one kind of row has no weight.
        """
        meant, both = self._by_score(weights)
        others = both - meant
        below = np.cumsum(others, axis=1) - others / 2
        pairs = meant.sum(axis=1) * others.sum(axis=1)
        return divided(np.einsum("bg,bg->b", meant, below), pairs)

    def average_precision(self, weights: Floats) -> Floats:
        """Return the areas under the precision-recall steps `[B]`; NaN where one kind of row has no weight."""
        meant, both = self._by_score(weights)
        meant, both = meant[:, ::-1], both[:, ::-1]
        precision = divided(np.cumsum(meant, axis=1), np.cumsum(both, axis=1), 0.0)
        total = meant.sum(axis=1)
        area = divided(np.einsum("bg,bg->b", meant, precision), total)
        return np.where(both.sum(axis=1) > total, area, np.nan)

    def _by_score(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the weight of the meant rows and of all rows at each value of the score, `[B, values]`."""
        both = weights[:, self.order]
        meant = both * self.positive
        if len(self.starts) == len(self.order):
            return meant, both
        return np.add.reduceat(meant, self.starts, axis=1), np.add.reduceat(both, self.starts, axis=1)

"""Metrics of counts: how often each class or label was there, was said, and was said rightly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.metrics.weighted import Floats, Integers, divided, mean_of_defined, sums_by, weighted_sum


@dataclass(frozen=True)
class Counts:
    """Weights of rows by class or label, each float64 `[B, C]`.

    Attributes:
        right: Where it was there and was said.
        said: Where it was said.
        there: Where it was there.
    """

    right: Floats
    said: Floats
    there: Floats

    @classmethod
    def of_classes(cls, weights: Floats, target: Integers, labels: Integers, classes: int) -> Counts:
        """Count one class for each row: `target` and `labels` are int64 `[N]`."""
        hit = target == labels
        return cls(
            right=sums_by(weights, target, classes, hit),
            said=sums_by(weights, labels, classes),
            there=sums_by(weights, target, classes),
        )

    @classmethod
    def of_labels(cls, weights: Floats, target: NDArray[np.bool_], labels: NDArray[np.bool_]) -> Counts:
        """Count any number of labels for each row: `target` and `labels` are bool `[N, L]`."""
        return cls(*(_by_column(weights, each) for each in (target & labels, labels, target)))

    @property
    def precision(self) -> Floats:
        """Share of what was said that is right, `[B, C]`; 0 where nothing was said."""
        return divided(self.right, self.said, 0.0)

    @property
    def recall(self) -> Floats:
        """Share of what was there that was said, `[B, C]`; 0 where nothing was there."""
        return divided(self.right, self.there, 0.0)

    @property
    def f1(self) -> Floats:
        """Harmonic mean of the two, `[B, C]`; 0 where one of them is."""
        return divided(2 * self.right, self.said + self.there, 0.0)

    def averages(self) -> dict[str, Floats]:
        """Return precision, recall and F1 as means over the classes (macro) and of all counts together (micro).

        A class that neither was there nor was said is no part of the means.
        """
        seen = (self.said + self.there) > 0
        pooled = Counts(*(each.sum(axis=1, keepdims=True) for each in (self.right, self.said, self.there)))
        found = {}
        for name in ("precision", "recall", "f1"):
            found[f"{name}_macro"] = mean_of_defined(np.where(seen, getattr(self, name), np.nan))
            found[f"{name}_micro"] = getattr(pooled, name)[:, 0]
        return found


AVERAGES = tuple(f"{name}_{kind}" for name in ("precision", "recall", "f1") for kind in ("macro", "micro"))


def matthews(counts: Counts) -> Floats:
    """Return Matthews' correlation for any number of classes, `[B]` (Gorodkin, 2004); 0 where it is undefined."""
    rows = counts.there.sum(axis=1)
    together = counts.right.sum(axis=1) * rows - (counts.said * counts.there).sum(axis=1)
    said, there = (rows**2 - (each**2).sum(axis=1) for each in (counts.said, counts.there))
    return divided(together, np.sqrt(np.maximum(said * there, 0.0)), 0.0)


def _by_column(weights: Floats, holds: NDArray[np.bool_]) -> Floats:
    return np.stack([weighted_sum(weights, column) for column in holds.T], axis=1)

"""Confident learning: which labels are wrong, from predictions that never saw the label they judge.

The method of Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Confidence:
    """What confident learning says of N rows and C classes.

    Attributes:
        thresholds: float64 [C], the mean probability of a class over the rows that are labelled so.
        counted: int64 [C, C], the confident joint: rows labelled with the first class that are confidently counted as
            the second.
        joint: float64 [C, C], the estimated joint distribution of given and true labels; sums to 1.
        suggested: int64 [N], the class that a suspected row seems to be of; the label of a row that is not suspected.
        own: float64 [N], the probability of the row's label.
    """

    thresholds: Floats
    counted: Integers
    joint: Floats
    suggested: Integers
    own: Floats

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels."""
        return float(self.joint.sum() - np.trace(self.joint))


def confidence(labels: Integers, probabilities: Floats) -> Confidence:
    """Judge labels.

    A row is counted as the most probable of the classes whose probability reaches the class's threshold. The joint is
    the confident joint with each row scaled to how often the label is given. Rows are then suspected by the paper's
    "prune by noise rate": of the rows with one label, as many as the joint says are truly of another class, those for
    which that class is more probable than the label by the widest margin.

    Args:
        labels: int64 [N], given classes; every class occurs.
        probabilities: float [N, C], out of fold.
    """
    classes = probabilities.shape[1]
    given = np.bincount(labels, minlength=classes)
    rows = np.arange(len(labels))
    own = probabilities[rows, labels].astype(np.float64)
    thresholds = np.bincount(labels, weights=own, minlength=classes) / np.maximum(given, 1)
    # A probability that is the threshold but for the last bit (a model that says the same of all rows) reaches it.
    confident = np.where(probabilities >= thresholds - 1e-9, probabilities, -1.0)
    best = confident.argmax(axis=1)
    certain = confident[rows, best] >= 0
    # Where the label is as probable as the best class, the label stands.
    best = np.where(confident[rows, labels] == confident[rows, best], labels, best)
    counted = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counted, (labels[certain], best[certain]), 1)
    sums = counted.sum(axis=1)
    # A class of which no row is certain keeps its labels.
    filled = np.where(sums[:, None] > 0, counted, np.diag(given))
    expected = filled / np.maximum(filled.sum(axis=1, keepdims=True), 1) * given[:, None]
    return Confidence(
        thresholds, counted, expected / expected.sum(), _pruned(labels, probabilities, own, expected), own
    )


def _pruned(labels: Integers, probabilities: Floats, own: Floats, expected: Floats) -> Integers:
    """Return the suspected class of each row, its label where it is not suspected.

    Args:
        labels: int64 [N].
        probabilities: float [N, C].
        own: float64 [N], the labels' probabilities.
        expected: float64 [C, C], estimated rows by given and true class.
    """
    suggested, widest = labels.copy(), np.zeros(len(labels))
    for given, true in zip(*np.nonzero(np.rint(expected)), strict=True):
        if given == true:
            continue
        rows = np.flatnonzero(labels == given)
        margin = probabilities[rows, true] - own[rows]
        first = np.argsort(-margin, kind="stable")[: int(np.rint(expected[given, true]))]
        wider = first[margin[first] > widest[rows[first]]]
        suggested[rows[wider]], widest[rows[wider]] = true, margin[wider]
    return suggested

"""How many equal rows chance alone explains: few columns of few values repeat without any leak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.leakage.disguise import FeatureSample, RowSample
from tasks.leakage.words import Words


def log_chances(sample: RowSample) -> NDArray[np.float64]:
    """Return the logarithm of each sampled row's probability if the columns were independent; float64 [N]."""
    logarithms = np.zeros(len(sample.train))
    for feature in sample.features.values():
        _, position, counts = np.unique(_words(feature), return_inverse=True, return_counts=True)
        logarithms += np.log(counts[position] / len(sample.train))
    return logarithms


def expected_twins(logarithms: NDArray[np.float64], rows: int) -> float:
    """Return the share of rows that would find an equal among others by chance.

    Columns that depend on each other repeat more often than this, so the answer is a lower bound of what chance does.

    Args:
        logarithms: As `log_chances` returns them.
        rows: The rows among which an equal is looked for.
    """
    return float(-np.expm1(-rows * np.exp(logarithms)).mean())


def _words(feature: FeatureSample) -> Words:
    if feature.words is not None:
        return feature.words
    assert feature.values is not None, "a feature has values or words"
    # Every NaN is the one null.
    return np.where(feature.null, np.nan, feature.values + 0.0).view(np.uint64)

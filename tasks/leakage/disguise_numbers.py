"""Target in disguise, where the target is a number: does one feature alone explain the order of the validation rows?"""

from __future__ import annotations

import numpy as np

from tasks.leakage.disguise import LEAST_ROWS, Bools, FeatureSample, Floats, Integers, Separation, separation


class NumberJudge:
    """Judges features one at a time over one sample by how much of a number's ranks they explain.

    Mean ranks are learnt for each value or bin on the training rows, so neither outliers nor a bend in how the target
    depends on the feature hide or feign anything. A value that training did not see twice has the mean of the whole.
    """

    def __init__(self, train: Bools, target: Floats) -> None:
        """Take the target, float64 [N] without NaN."""
        self._train = train
        _, places, counts = np.unique(target, return_inverse=True, return_counts=True)
        middles = np.cumsum(counts) - (counts - 1) / 2
        self._ranks = middles[places] / len(target)

    @property
    def can_judge(self) -> bool:
        """There are enough validation rows, and they differ."""
        valid = self._ranks[~self._train]
        return len(valid) >= 2 * LEAST_ROWS and bool(valid.min() < valid.max()) and bool(self._train.any())

    def judge(self, sample: FeatureSample) -> Separation:
        """Measure one feature."""
        return separation(sample, self._train, self._explained)

    def _explained(self, codes: Integers) -> float:
        size = int(codes.max()) + 1
        train, valid = codes[self._train], self._ranks[~self._train]
        counts = np.bincount(train, minlength=size)
        sums = np.bincount(train, weights=self._ranks[self._train], minlength=size)
        # A value seen once proves nothing: an identifier would else repeat the target of its one row.
        means = np.where(counts > 1, sums / np.maximum(counts, 1), self._ranks[self._train].mean())
        missed = np.square(valid - means[codes[~self._train]]).sum()
        return float(1 - missed / np.square(valid - valid.mean()).sum())

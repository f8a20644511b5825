"""How far statistics move by chance alone, between two samples of the same rows: tails and thresholds, no resampling.

Both samples are noisy: the served one has n rows, the reference N. Each tail is an upper bound or exact, so that a
threshold at a level of one in a million can be trusted, which resampling would need millions of draws for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import betabinom, hypergeom

from tasks.drift.expected import Counts

Floats = NDArray[np.float64]
# Of a cell's served and reference counts, and of both samples' rows.
Terms = Callable[[Any, Any, int, int], Floats]

# The constant of the two-sample inequality is 2, but for small samples of equal size, which need a little more
# (Wei and Dudley, "Two-sample Dvoretzky-Kiefer-Wolfowitz inequalities", 2012).
_KS_CONSTANT = 2.17
_TILTS = np.linspace(0.05, 0.45, 9)
_POINTS, _DEVIATIONS, _ROOM = 96, 12.0, 30.0


def effective_rows(served: float, reference: float) -> float:
    """Return the rows n N / (n + N) that two samples are worth when they are compared."""
    return served * reference / (served + reference)


def ks_tail(distance: float, rows: float) -> float:
    """Return the probability that two samples differ by so much in any point of their cumulative distributions.

    Args:
        distance: Of Kolmogorov and Smirnov.
        rows: `effective_rows`.
    """
    return min(1.0, _KS_CONSTANT * math.exp(-2 * rows * distance**2))


def ks_threshold(level: float, rows: float) -> float:
    """Return the distance whose tail is `level`."""
    return math.sqrt(math.log(_KS_CONSTANT / level) / (2 * rows))


def rate_tail(served: int, rows: int, reference: int, reference_rows: int) -> float:
    """Return twice the smaller tail of Fisher's exact test: how likely a rate differs as it does, or more.

    Args:
        served: Rows of the kind that is counted, of `rows` served ones.
        rows: Served rows.
        reference: Rows of that kind in the reference.
        reference_rows: Its rows.
    """
    if not served and not reference:
        return 1.0
    known = (rows + reference_rows, served + reference, rows)
    return min(1.0, 2 * min(float(hypergeom.cdf(served, *known)), float(hypergeom.sf(served - 1, *known))))


def rate_threshold(level: float, rows: int, reference: int, reference_rows: int) -> float:
    """Return the least rate above the reference's that alarms at `level`; above 1 where none does."""
    low, high = math.ceil(rows * reference / reference_rows), rows + 1
    while low < high:
        middle = (low + high) // 2
        raised = rate_tail(middle, rows, reference, reference_rows) <= level
        low, high = (low, middle) if raised else (middle + 1, high)
    return low / rows


def new_tail(served: int, rows: int, reference_rows: int, ways: int) -> float:
    """Return the probability of so many served rows beyond everything that the reference holds, or more.

    Of exchangeable rows, the number beyond the extremes of N others is beta-binomial with 1 and N for each end,
    exactly. For values that the reference lacks, the rate has the mean that Good and Turing give it, the share of
    values that the reference saw once (Good, "The population frequencies of species", 1953), and a count's spread.

    Args:
        served: Rows beyond.
        rows: Served rows.
        reference_rows: The reference's.
        ways: 2 for the two ends of a range; for categories, one more than the values seen once.
    """
    return float(betabinom.sf(served - 1, rows, ways, max(reference_rows - ways + 1, 1))) if served else 1.0


def new_threshold(level: float, rows: int, reference_rows: int, ways: int) -> float:
    """Return the least rate whose `new_tail` is at most `level`."""
    return float(betabinom.isf(level, rows, ways, max(reference_rows - ways + 1, 1)) + 1) / rows


def chi_squared_terms(served: Any, reference: Any, rows: int, reference_rows: int) -> Floats:
    """Return what each cell adds to the chi-squared statistic of two samples with the same cells."""
    balance = math.sqrt(reference_rows / rows)
    return np.asarray((served * balance - reference / balance) ** 2 / np.maximum(served + reference, 1))


def psi_terms(served: Any, reference: Any, rows: int, reference_rows: int) -> Floats:
    """Return what each cell adds to the population stability index; an empty cell counts as half a row."""
    shares = (served + 0.5) / (rows + 0.5), (reference + 0.5) / (reference_rows + 0.5)
    return np.asarray((shares[0] - shares[1]) * np.log(shares[0] / shares[1]))


class CellNoise:
    """The null distribution of a statistic that is a sum over cells.

    A cell's served count is beta-binomial given the reference's. Cells count as independent, which they are but for
    their sum; that makes the tail a little heavier than it is. The tail is Chernoff's bound, from the moment generating
    function of each cell's term, summed over the counts that can occur.

    Args:
        reference: int64 `[K]`, the reference's cells.
        rows: Served rows, of all cells.
    """

    def __init__(self, reference: Counts, rows: int) -> None:
        self._reference, self._rows, self._total = reference[:, None], rows, int(reference.sum())

    def chi_squared(self) -> Tail:
        """Return the tail of the chi-squared statistic."""
        return Tail(self, chi_squared_terms, 1.0, len(self._reference))

    def psi(self) -> Tail:
        """Return the tail of the population stability index."""
        return Tail(self, psi_terms, 1 / self._rows + 1 / self._total, len(self._reference))

    @cached_property
    def _outcomes(self) -> tuple[Floats, Floats]:
        """Counts that each cell can have `[K, P]`, every so manieth of them, and the logarithm of their shares."""
        share = self._reference / self._total
        mean = self._rows * share
        spread = np.sqrt(mean * (1 - share) * (1 + self._rows / self._total))
        low = np.floor(np.maximum(mean - _DEVIATIONS * spread, 0))
        high = np.minimum(np.ceil(mean + _DEVIATIONS * spread + _ROOM), self._rows)
        served = low + np.maximum(np.ceil((high - low) / _POINTS), 1) * np.arange(_POINTS + 1)
        inside = served <= high
        served = np.where(inside, served, 0.0)
        rest, a, b = self._rows - served, self._reference + 0.5, self._total - self._reference + 0.5
        weights = gammaln(served + a) + gammaln(rest + b) - gammaln(served + 1) - gammaln(rest + 1)
        weights = np.where(inside, weights, -np.inf)
        return served.astype(np.float64), weights - _log_sums(weights)[:, None]

    def cumulants(self, terms: Terms, scale: float) -> Floats:
        """Return the logarithm of the moment generating function of the sum of terms, at the tilts."""
        served, weights = self._outcomes
        each = terms(served, self._reference, self._rows, self._total) / scale
        return np.array([_log_sums(weights + tilt * each).sum() for tilt in _TILTS])


def _log_sums(logarithms: Floats) -> Floats:
    """Return the logarithms of the sums over the last axis of what the logarithms `[K, P]` are of."""
    largest = logarithms.max(axis=1)
    return np.asarray(largest + np.log(np.exp(logarithms - largest[:, None]).sum(axis=1)))


class Tail:
    """Chernoff's bound of a statistic's upper tail, computed when it is asked for.

    Args:
        noise: Of the cells.
        terms: What a cell adds to the statistic.
        scale: The statistic divided by it is about chi-squared.
        cells: How many there are.
    """

    def __init__(self, noise: CellNoise, terms: Terms, scale: float, cells: int) -> None:
        self._noise, self._terms, self._scale, self._cells = noise, terms, scale, cells

    def of(self, statistic: float) -> float:
        """Return a bound of the probability of so large a statistic."""
        # Up to about its mean a statistic is no news, and the bound is hardly below 1.
        if statistic <= self._scale * (self._cells - 1):
            return 1.0
        return math.exp(min(0.0, float((self._cumulants - _TILTS * statistic / self._scale).min())))

    def threshold(self, level: float) -> float:
        """Return the statistic whose bound is `level`."""
        return float(((self._cumulants - math.log(level)) / _TILTS).min()) * self._scale

    @cached_property
    def _cumulants(self) -> Floats:
        return self._noise.cumulants(self._terms, self._scale)

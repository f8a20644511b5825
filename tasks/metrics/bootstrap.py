"""Percentile bootstrap: how far a metric would move on other rows of the same kind (Efron and Tibshirani, 1993).

Rows are drawn with replacement, as many as there are. Where rows come in groups that share what is not their own (the
weather of a day), whole groups are drawn instead: rows by themselves would promise more than the data knows. Of one row
or one group every draw is the same, which tells nothing, so there are no intervals. Two models are compared on the same
draws, so that what makes a draw easy or hard for both falls out of the difference.

The calibration error of a resample is larger than that of the rows it is drawn from, so its interval lies high.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.metrics.table import direction
from tasks.metrics.weighted import Floats, Measure, measured

# Weights of so many rows are worked on at a time: they fit into a processor's cache.
_BLOCK = 1 << 20
_LEAST_DEFINED = 0.5

Interval = tuple[float, float]


@dataclass(frozen=True)
class Resampling:
    """How to draw.

    Attributes:
        resamples: How many draws.
        confidence: The share of draws within the interval.
        seed: Of the draws.
        groups: int64 `[N]`, each row's group, counted from 0 without gaps; None to draw single rows.
    """

    resamples: int
    confidence: float
    seed: int = 0
    groups: NDArray[np.int64] | None = None

    def units(self, rows: int) -> int:
        """Return how many rows or groups there are to draw from."""
        return rows if self.groups is None else int(self.groups.max()) + 1

    def interval(self, drawn: Floats) -> Interval | None:
        """Return the interval of a metric's values `[B]`; None where half of the draws or more leave it undefined."""
        defined = drawn[np.isfinite(drawn)]
        if len(defined) <= _LEAST_DEFINED * len(drawn):
            return None
        rest = (1 - self.confidence) / 2
        low, high = np.quantile(defined, [rest, 1 - rest])
        return float(low), float(high)


@dataclass(frozen=True)
class Difference:
    """A metric of two models on the same rows.

    Attributes:
        before: The first model's value.
        after: The second's.
        gain: By how much the second is better, negative where it is worse, whatever the metric's direction.
        interval: Of the gain; None where it cannot be told.
    """

    before: float
    after: float
    gain: float
    interval: Interval | None


def intervals(measures: Iterable[Measure], rows: int, resampling: Resampling) -> dict[str, Interval]:
    """Return each metric's interval; a metric that most draws leave undefined has none."""
    measures = tuple(measures)
    if not resampling.resamples or resampling.units(rows) < 2:
        return {}
    blocks = [measured(measures, weights) for weights in draws(rows, resampling)]
    found = {name: resampling.interval(np.concatenate([each[name] for each in blocks])) for name in blocks[0]}
    return {name: interval for name, interval in found.items() if interval is not None}


def differences(
    before: Iterable[Measure],
    after: Iterable[Measure],
    rows: int,
    resampling: Resampling,
    wanted: Collection[str] | None = None,
) -> dict[str, Difference]:
    """Compare two models on the same rows by a paired bootstrap.

    Args:
        before: The first model's metrics.
        after: The second's.
        rows: How many rows both were measured on.
        resampling: How to draw.
        wanted: Names to compare; all by default.

    Returns:
        By name, for the metrics that are defined for both models on the rows as they are.
    """
    both = tuple(before), tuple(after)
    whole = [measured(each, np.ones((1, rows)), wanted) for each in both]
    drawn: list[dict[str, Floats]] = []
    for weights in draws(rows, resampling) if resampling.units(rows) > 1 else ():
        first, second = (measured(each, weights, wanted) for each in both)
        drawn.append({name: direction(name) * (second[name] - first[name]) for name in first.keys() & second.keys()})
    found = {}
    for name, values in whole[0].items():
        one, other = float(values[0]), float(whole[1][name][0])
        if np.isfinite(one) and np.isfinite(other):
            interval = resampling.interval(np.concatenate([each[name] for each in drawn])) if drawn else None
            found[name] = Difference(one, other, direction(name) * (other - one), interval)
    return found


def draws(rows: int, resampling: Resampling) -> Iterator[Floats]:
    """Yield how often each row is drawn, float64 `[B, rows]`, a block of resamples at a time.

    The draws do not depend on the size of the blocks.
    """
    random = np.random.default_rng(resampling.seed)
    groups = resampling.groups
    units = resampling.units(rows)
    block = max(1, _BLOCK // rows)
    for start in range(0, resampling.resamples, block):
        count = min(block, resampling.resamples - start)
        drawn = [np.bincount(random.integers(0, units, units), minlength=units) for _ in range(count)]
        weights = np.stack(drawn).astype(np.float64)
        yield weights if groups is None else weights[:, groups]

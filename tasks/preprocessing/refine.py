"""Exact constants for columns of too many different values to count: two more passes over those columns alone.

The sketch of the first pass knows every rank but for a counted error. So the rows next to a wanted quantile lie between
two of its values, and few others do: the second pass gathers them, and counts the rest. With the bounds and fills that
follow exactly, the third pass measures mean and deviation of the values as they enter the scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.partitions import Partition
from tasks.data.split import SPLITS, read_codes
from tasks.engine import merge_partitions
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.constants import NumericFeature
from tasks.preprocessing.numbers import settled
from tasks.preprocessing.options import number_options
from tasks.preprocessing.plan import Measure
from tasks.preprocessing.raw_rows import RawRows, read_as_it_stands
from tasks.preprocessing.scaling import apply_curve
from tasks.preprocessing.sketch import Distribution
from tasks.preprocessing.statistics import Moments, NumericSummary, Summaries
from tasks.references import DatasetRef, SplitRef

Floats = NDArray[np.float64]
Data = tuple[DatasetRef, SplitRef, Sequence[tuple[int, Partition]]]

_QUARTILES = (0.25, 0.5, 0.75)
# Scales whose centre and spread are the mean and deviation of the values that enter them.
_STANDARD = frozenset({"standard", "log1p", "yeo-johnson"})


@dataclass(frozen=True)
class Bracketed:
    """Where the rows of one column lie with respect to some brackets `(low, high]`, which ascend without overlap.

    Attributes:
        below: int64 [brackets + 1]: the rows before each bracket and behind the one before it; last those behind all.
        inside: For each bracket the distribution of its rows, exact.
    """

    below: NDArray[np.int64]
    inside: tuple[Distribution, ...]

    @classmethod
    def of(cls, values: Floats, brackets: Sequence[tuple[float, float]]) -> Bracketed:
        """Sort finite values [N] into brackets."""
        # A comparison with each of a few edges is faster than a search among them for each value.
        at_most = [np.count_nonzero(values <= edge) for bracket in brackets for edge in bracket]
        counts = np.diff(np.array([*at_most, len(values)]), prepend=0)
        inside = [values[(values > low) & (values <= high)] for low, high in brackets]
        return cls(counts[::2], tuple(Distribution.of(each, len(each) + 1) for each in inside))

    def merge(self, later: Bracketed) -> Bracketed:
        """Return both sets of rows together."""
        pairs = zip(self.inside, later.inside, strict=True)
        most = max([2, *(len(a.values) + len(b.values) + 1 for a, b in zip(self.inside, later.inside, strict=True))])
        return Bracketed(self.below + later.below, tuple(a.merge(b, most) for a, b in pairs))


def brackets_of(sketch: Distribution, probabilities: Sequence[float]) -> list[tuple[float, float]]:
    """Return ranges `(low, high]` that surely hold the rows of the wanted quantiles and their upper neighbours."""
    cumulative = np.cumsum(sketch.counts)
    found: list[tuple[float, float]] = []
    for probability in sorted(probabilities):
        rank = int(np.floor(probability * (cumulative[-1] - 1)))
        surely_before = np.flatnonzero(cumulative + sketch.error < rank)
        surely_behind = np.flatnonzero(cumulative - sketch.error >= rank + 3)
        low = float(sketch.values[surely_before[-1]]) if len(surely_before) else -np.inf
        high = float(sketch.values[surely_behind[0]]) if len(surely_behind) else np.inf
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def refined(
    sketch: Distribution, brackets: Sequence[tuple[float, float]], counted: Bracketed, greatest: float
) -> Distribution:
    """Return the sketch with exact rows in the brackets, and exact numbers of rows between them.

    Its interpolated quantiles at the wanted probabilities are exact; it keeps the sketch's error elsewhere. `greatest`
    is the greatest value that occurs, which the sketch may have left out.
    """
    values, counts = [], []
    starts = [-np.inf, *(high for _, high in brackets)]
    ends = [*(low for low, _ in brackets), np.inf]
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        between = (sketch.values > start) & (sketch.values <= end)
        rows = int(counted.below[index])
        if rows and not between.any():
            values.append(np.array([greatest]))
            counts.append(np.array([rows]))
        elif rows:
            shape = np.cumsum(sketch.counts[between])
            values.append(sketch.values[between])
            counts.append(np.diff(shape * rows // shape[-1], prepend=0))
        if index < len(brackets):
            values.append(counted.inside[index].values)
            counts.append(counted.inside[index].counts)
    joined = Distribution.counted(np.concatenate(values), np.concatenate(counts), sketch.error)
    return Distribution(joined.values[joined.counts > 0], joined.counts[joined.counts > 0], sketch.error)


def refine_summaries(
    client: Any, data: Data, measures: Sequence[Measure], summaries: Summaries, config: PreprocessConfig
) -> Summaries:
    """Return the summaries with exact quantiles for numeric features, as far as the config asks for any.

    Args:
        client: Who does the work.
        data: The clean dataset, its split and its numbered partitions.
        measures: What was summarised.
        summaries: By name.
        config: Tells which quantiles are wanted.
    """
    wanted: dict[str, tuple[Measure, list[tuple[float, float]]]] = {}
    for measure in measures:
        summary = summaries.get(measure.name)
        if isinstance(summary, NumericSummary) and measure.role == "feature" and summary.distribution.error:
            outliers = number_options(measure, config).outliers
            limits = outliers.limits if outliers.method == "quantile" else ()
            inner = [each for each in limits if 0 < each < 1]
            wanted[measure.name] = (measure, brackets_of(summary.distribution, [*_QUARTILES, *inner]))
    if not wanted:
        return summaries
    found = merge_partitions(client, _Gatherer(*data[:2], wanted).gather, data[2], _merge, label="fit, exact quantiles")
    exact = dict(summaries)
    for name, (_, brackets) in wanted.items():
        summary = summaries[name]
        assert isinstance(summary, NumericSummary)
        exact[name] = NumericSummary(
            summary.moments, refined(summary.distribution, brackets, found[name], summary.moments.maximum)
        )
    return exact


def refine_features(
    client: Any, data: Data, features: Sequence[NumericFeature], summaries: Summaries, config: PreprocessConfig
) -> list[NumericFeature]:
    """Return the features with the exact mean and deviation of the values that enter their scale."""
    wanted = {
        each.name: each
        for each in features
        if each.kind == "number"
        and isinstance(summary := summaries.get(each.name), NumericSummary)
        and summary.distribution.error
        and (config.of(each.column).scale or config.numeric.scale).method in _STANDARD
    }
    if not wanted:
        return list(features)
    found = merge_partitions(client, _Measurer(*data[:2], wanted).measure, data[2], _merge, label="fit, exact means")
    return [_standardised(each, found[each.name]) if each.name in wanted else each for each in features]


def _standardised(feature: NumericFeature, moments: Moments) -> NumericFeature:
    raw = np.array(feature.edges) * feature.spread + feature.center
    edges = ((raw - moments.mean) / moments.std).astype(np.float32)
    update = {"center": moments.mean, "spread": moments.std, "edges": tuple(np.unique(edges).astype(float).tolist())}
    return feature.model_copy(update=update)


@dataclass(frozen=True)
class _Gatherer:
    """The second pass over the training split."""

    clean: DatasetRef
    split: SplitRef
    wanted: Mapping[str, tuple[Measure, list[tuple[float, float]]]]

    def gather(self, numbered: tuple[int, Partition]) -> dict[str, Bracketed]:
        """Sort each wanted column of one partition into its brackets."""
        columns = {name: (measure.column.name, measure.part) for name, (measure, _) in self.wanted.items()}
        numbers = _training_numbers(self.clean, self.split, numbered, columns)
        return {name: Bracketed.of(x[np.isfinite(x)], self.wanted[name][1]) for name, x in numbers.items()}


@dataclass(frozen=True)
class _Measurer:
    """The third pass over the training split."""

    clean: DatasetRef
    split: SplitRef
    wanted: Mapping[str, NumericFeature]

    def measure(self, numbered: tuple[int, Partition]) -> dict[str, Moments]:
        """Measure each wanted feature in one partition, before it is centred."""
        columns = {name: (feature.column, feature.part) for name, feature in self.wanted.items()}
        numbers = _training_numbers(self.clean, self.split, numbered, columns)
        return {
            name: Moments.of(apply_curve(self.wanted[name].curve, settled(self.wanted[name], x)[0]))
            for name, x in numbers.items()
        }


def _training_numbers(
    clean: DatasetRef, split: SplitRef, numbered: tuple[int, Partition], columns: Mapping[str, Any]
) -> dict[str, Floats]:
    index, partition = numbered
    train = read_codes(split, index) == SPLITS.index("train")
    names = list(dict.fromkeys(column for column, _ in columns.values()))
    table, kept = read_as_it_stands(clean.folder, partition, names)
    rows = RawRows(table, kept[train])
    return {name: rows.numbers(column, part) for name, (column, part) in columns.items()}


def _merge(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    return {name: found.merge(later[name]) for name, found in earlier.items()}

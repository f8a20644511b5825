"""From summaries of the training split to features, or to the reason why a column gives none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data_contracts.contract import Column
from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.constants import CategoricalFeature, NumericFeature, Target
from tasks.preprocessing.plan import Measure
from tasks.preprocessing.sketch import Distribution
from tasks.preprocessing.statistics import CategorySummary, NumericSummary, Summaries

MAX_CLASSES = 1_000


@dataclass(frozen=True)
class FeatureRules:
    """How features are made; the words are those of `tasks.preprocessing.fit.PreprocessConfig`."""

    min_count: int
    max_vocabulary: int
    clip: tuple[float, float]
    bins: int
    indicators: float


def fit_target(column: Column, summaries: Summaries) -> Target:
    """Return the target with the classes of the training split.

    Raises:
        ConfigError: The column's type has no classes.
        TrainingError: There is one class, or there are too many to be classes.
    """
    source = column.logical_type
    if source not in {"string", "integer", "boolean"}:
        raise ConfigError(
            f"preprocess.target: `{column.name}` is of type {source}; classes are strings, integers or booleans\n"
            "  do: name another target, or add a column of classes to the data"
        )
    summary = summaries[column.name]
    assert isinstance(summary, CategorySummary)
    found = summary.values.to_pylist()
    if len(found) < 2:
        raise TrainingError(
            f"target {column.name}: the training split has {f'one class, `{found[0]}`' if found else 'no class'} "
            f"in {summary.rows} rows; there is nothing to tell apart\n"
            "  do: give data with at least two classes, or another split"
        )
    if len(found) > MAX_CLASSES:
        raise TrainingError(
            f"target {column.name}: {len(found)} classes in the training split, at most {MAX_CLASSES} make sense\n"
            "  do: name another target, or group its values"
        )
    if source == "string":
        return Target(column=column.name, source="string", classes=tuple(found))
    numbers = sorted(int(value) for value in found)
    if source == "boolean":
        return Target(column=column.name, source="boolean", classes=tuple(bool(number) for number in numbers))
    return Target(column=column.name, source="integer", classes=tuple(numbers))


def fit_features(
    measures: Sequence[Measure], summaries: Summaries, rules: FeatureRules
) -> tuple[list[NumericFeature], list[CategoricalFeature], dict[str, str]]:
    """Return the numeric and categorical features, and by name why others were left out.

    Raises:
        TrainingError: No feature is left.
    """
    numeric: list[NumericFeature] = []
    categorical: list[CategoricalFeature] = []
    left_out: dict[str, str] = {}
    for measure in measures:
        if measure.role != "feature":
            continue
        summary = summaries[measure.name]
        feature: NumericFeature | CategoricalFeature | str
        if isinstance(summary, NumericSummary):
            feature = fit_numeric(measure, summary, rules)
            numeric += [feature] if isinstance(feature, NumericFeature) else []
            numeric += _indicator(measure, summary, rules)
        else:
            feature = fit_categorical(measure, summary, rules)
            categorical += [feature] if isinstance(feature, CategoricalFeature) else []
        if isinstance(feature, str):
            left_out[measure.name] = feature
    if not numeric and not categorical:
        raise TrainingError(
            f"no feature is left to train on: {_listed(left_out)}\n"
            "  do: look at the columns in the source; the training split may be too small"
        )
    return numeric, categorical, left_out


def fit_numeric(measure: Measure, summary: NumericSummary, rules: FeatureRules) -> NumericFeature | str:
    """Return the numeric feature of a column, or why it makes none.

    Mean, deviation and edges are those of the filled and clipped values, so the finished feature has mean 0 and
    deviation 1 over the training split.
    """
    moments, distribution = summary.moments, summary.distribution
    if not moments.count:
        return "every value is null in the training split"
    if moments.minimum == moments.maximum:
        return f"constant in the training split: {moments.minimum!r}"
    lower, upper = _bounds(summary, rules.clip)
    fill = float(distribution.quantiles([0.5])[0])
    values = np.append(np.clip(distribution.values, lower, upper), np.clip(fill, lower, upper))
    counts = np.append(distribution.counts, moments.nulls)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float((values * (counts / counts.sum())).sum())
        std = math.sqrt(float((np.square(values - mean) * (counts / counts.sum())).sum()))
    if not (math.isfinite(mean) and math.isfinite(std) and std > 0):
        return f"its spread is beyond float64: {moments.minimum!r} to {moments.maximum!r}"
    finished = ((values - mean) / std).astype(np.float32)
    return NumericFeature(
        name=measure.name,
        column=measure.column.name,
        source=measure.source,
        part=measure.part,
        fill=fill,
        lower=lower,
        upper=upper,
        mean=mean,
        std=std,
        edges=_edges(finished, counts, rules.bins),
    )


def _bounds(summary: NumericSummary, clip: tuple[float, float]) -> tuple[float, float]:
    """Return the clipping bounds; the whole range where the quantiles would make the column constant."""
    moments = summary.moments
    inner = summary.distribution.quantiles(clip)
    lower = moments.minimum if clip[0] == 0 else float(inner[0])
    upper = moments.maximum if clip[1] == 1 else float(inner[1])
    return (lower, upper) if lower < upper else (moments.minimum, moments.maximum)


def _edges(finished: np.ndarray, counts: np.ndarray, bins: int) -> tuple[float, ...]:
    order = np.argsort(finished, kind="stable")
    distribution = Distribution(finished[order].astype(np.float64), counts[order])
    return tuple(np.unique(distribution.quantiles(np.linspace(0, 1, bins + 1).tolist())).tolist())


def _indicator(measure: Measure, summary: NumericSummary, rules: FeatureRules) -> list[NumericFeature]:
    """Return the feature that says whether the raw value is null, where that is worth a feature."""
    moments = summary.moments
    if measure.part is not None or not 0 < moments.nulls < moments.rows:
        return []
    if moments.nulls < rules.indicators * moments.rows or rules.indicators == 1:
        return []
    name = f"{measure.name}_is_null"
    return [NumericFeature(name=name, column=measure.column.name, source=measure.source, indicator=True)]


def fit_categorical(measure: Measure, summary: CategorySummary, rules: FeatureRules) -> CategoricalFeature | str:
    """Return the categorical feature of a column, or why it makes none.

    A value belongs to the vocabulary if it occurs at least `min_count` times; where that is unsure because counts
    were pruned, only if it surely does. Of too many the most frequent stay, among equals the first by code point.
    """
    if summary.nulls == summary.rows:
        return "every value is null in the training split"
    if len(summary.values) == 1 and not summary.nulls:
        return f"constant in the training split: {summary.values[0].as_py()!r}"
    frequent = np.flatnonzero(summary.counts >= rules.min_count)
    if not len(frequent):
        return f"no value occurs {rules.min_count} times in the training split"
    most = np.argsort(-summary.counts[frequent], kind="stable")[: rules.max_vocabulary]
    kept = np.sort(frequent[most])
    return CategoricalFeature(
        name=measure.name,
        column=measure.column.name,
        source=measure.source,
        part=measure.part,
        vocabulary=tuple(summary.values.take(kept).to_pylist()),
    )


def _listed(reasons: Mapping[str, str]) -> str:
    shown = [f"`{name}`: {reason}" for name, reason in list(reasons.items())[:5]]
    return "; ".join(shown) + (f"; and {len(reasons) - 5} more" if len(reasons) > 5 else "")

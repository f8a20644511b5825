"""One numeric column to its features: bounds, fill, curve, centre and spread from the summary of the training split."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tasks.preprocessing.constants import NumericFeature
from tasks.preprocessing.encoding import edges_of
from tasks.preprocessing.imputation import number_fill
from tasks.preprocessing.options import NumberOptions
from tasks.preprocessing.outliers import outlier_bounds, treated
from tasks.preprocessing.plan import Measure
from tasks.preprocessing.scaling import apply_curve, fit_center_and_spread, fit_curve
from tasks.preprocessing.sketch import Distribution
from tasks.preprocessing.statistics import NumericSummary

_ALL_NULL = "every value is null in the training split"
_MOST_FLOAT32 = float(np.finfo(np.float32).max)


def bare_feature(measure: Measure) -> NumericFeature:
    """Return a feature with the names of a measure, and no constants yet."""
    return NumericFeature(name=measure.name, column=measure.column.name, source=measure.source, part=measure.part)


def fit_numeric(measure: Measure, summary: NumericSummary, options: NumberOptions, bins: int) -> NumericFeature | str:
    """Return the numeric feature of a column, or why it makes none.

    Centre, spread and edges are those of the values with outliers dealt with and missing ones filled, so that a
    standard feature has mean 0 and deviation 1 over the training split.

    Raises:
        TrainingError: An option cannot serve the values that training has.
    """
    moments = summary.moments
    said = f"{moments.minimum!r} to {moments.maximum!r}"
    if not moments.count or moments.minimum == moments.maximum:
        return f"constant in the training split: {moments.minimum!r}" if moments.count else _ALL_NULL
    bounds = outlier_bounds(options.outliers, summary, measure.column)
    values = treated(options.outliers, summary.distribution, bounds)
    if len(values.values) < 2:
        return "a single value is left in the training split after its outliers were dealt with"
    removed = moments.count - values.rows if options.outliers.action == "null" else 0
    if options.outliers.action == "flag":
        bounds = moments.minimum, moments.maximum
    fill = number_fill(measure.name, options.impute, values)
    whole = _with_fill(values, float(np.clip(fill, *bounds)), moments.nulls + removed)
    curve = fit_curve(measure.name, options.scale, whole)
    bent = Distribution.counted(apply_curve(curve, whole.values), whole.counts, whole.error)
    center, spread = fit_center_and_spread(options.scale, bent)
    if not (math.isfinite(center) and math.isfinite(spread) and spread > 0):
        return f"its spread is beyond float64: {said}"
    finished = (bent.values - center) / spread
    if np.abs(finished[[0, -1]]).max() > _MOST_FLOAT32:
        return f"beyond float32 when finished: {said}"
    ends = (apply_curve(curve, np.array(bounds)) - center) / spread
    if not (np.abs(ends) <= _MOST_FLOAT32).all():
        # Bounds may lie beyond what training saw, where the curve may have no value; within, it has one.
        bounds = max(bounds[0], moments.minimum), min(bounds[1], moments.maximum)
    rounded = Distribution.counted(finished.astype(np.float32).astype(np.float64), bent.counts)
    return bare_feature(measure).model_copy(
        update={
            "outside": "null" if options.outliers.action == "null" else "clip",
            "fill": fill,
            "chained": options.impute.method == "chained",
            "lower": bounds[0],
            "upper": bounds[1],
            "curve": curve,
            "center": center,
            "spread": spread,
            "edges": edges_of(rounded, bins),
        }
    )


def _with_fill(values: Distribution, fill: float, missing: int) -> Distribution:
    if not missing:
        return values
    return Distribution.counted(np.append(values.values, fill), np.append(values.counts, missing), values.error)


def indicator_of(
    measure: Measure, summary: NumericSummary, options: NumberOptions, feature: NumericFeature | str
) -> list[NumericFeature]:
    """Return the feature that says whether the raw value is missing, where that is worth a feature."""
    moments = summary.moments
    missing: int = moments.nulls
    update: dict[str, Any] = {"name": f"{measure.name}_is_null", "kind": "is_null"}
    if isinstance(feature, NumericFeature) and feature.outside == "null":
        missing += moments.count - treated(options.outliers, summary.distribution, (feature.lower, feature.upper)).rows
        update |= {"outside": "null", "lower": feature.lower, "upper": feature.upper}
    if options.indicator == "auto":
        rare = missing < options.indicator_share * moments.rows or options.indicator_share == 1
        wanted = 0 < missing < moments.rows and not rare
    else:
        wanted = bool(options.indicator)
    return [bare_feature(measure).model_copy(update=update)] if wanted else []

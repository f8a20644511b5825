"""`reference.json`: what the training split looked like, column by column, to hold served traffic against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.preprocessing.bins import describe_bins
from tasks.preprocessing.plan import Measure, target_measures
from tasks.preprocessing.statistics import CategorySummary, NumericSummary, Summaries

_PROBABILITIES = tuple(round(0.01 * step, 2) for step in range(101))
_MAX_VALUES = 200
_CLASSIFIED = frozenset({"restricted", "confidential"})


def describe(
    measures: Sequence[Measure], summaries: Summaries, left_out: Mapping[str, str], rows: int
) -> dict[str, Any]:
    """Return the reference statistics as a JSON value; `columns` and `target` hold a description by column.

    Args:
        measures: What was summarised.
        summaries: The summaries by measure name.
        left_out: Features that were left out, and why.
        rows: Rows of the training split.
    """
    columns = {
        measure.name: _column(measure, summaries[measure.name])
        for measure in measures
        if measure.part is None and measure.role != "target"
    }
    target = {measure.name: _column(measure, summaries[measure.name]) for measure in target_measures(measures)}
    return {"split": "train", "rows": rows, "columns": columns, "target": target, "left_out": dict(left_out)}


def _column(measure: Measure, summary: NumericSummary | CategorySummary) -> dict[str, Any]:
    described = {"logical_type": measure.column.logical_type, "kind": measure.kind}
    if isinstance(summary, NumericSummary):
        return described | _numeric(summary)
    return described | _categories(summary, named=measure.column.classification not in _CLASSIFIED)


def _numeric(summary: NumericSummary) -> dict[str, Any]:
    moments, distribution = summary.moments, summary.distribution
    described: dict[str, Any] = {"rows": moments.rows, "nulls": moments.nulls}
    if not moments.count:
        return described
    return described | {
        "minimum": moments.minimum,
        "maximum": moments.maximum,
        "mean": _finite(moments.mean),
        "std": _finite(moments.std),
        "probabilities": list(_PROBABILITIES),
        "quantiles": distribution.quantiles(_PROBABILITIES).tolist(),
        "rank_error": distribution.error,
        **describe_bins(distribution),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _categories(summary: CategorySummary, *, named: bool) -> dict[str, Any]:
    """Describe categories; the values of a classified column are personal data and stay out of the file."""
    most = np.sort(np.argsort(-summary.counts, kind="stable")[: _MAX_VALUES if named else 0])
    values = dict(zip(summary.values.take(most).to_pylist(), summary.counts[most].tolist(), strict=True))
    return {
        "rows": summary.rows,
        "nulls": summary.nulls,
        "distinct": len(summary.values),
        "values": values,
        "others": int(summary.counts.sum() - summary.counts[most].sum()),
        "missed": summary.missed,
    }

"""The words and figures of a report: what each section says, before any HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.metrics.table import METRIC, direction
from tasks.report import class_plots, number_plots, plots
from tasks.report.evaluated import Evaluated
from tasks.report.groups import importance_bars
from tasks.report.inputs import Accounting, GateLine, ReportInputs
from tasks.report.wording import figure

TEST = "test"
# Drawings of how good the model is; the confusion matrix tells where it fails.
CURVES = frozenset({"roc", "pr", "calibration", "gains", "lift", "scatter", "residuals", "spread", "quantiles"})


@dataclass(frozen=True)
class Comparison:
    """The headline metric of something the model is measured against, and how much better the model is."""

    name: str
    value: float
    better_by: float


def refusals(inputs: ReportInputs) -> list[str]:
    """Say which gates refused, and by how much."""
    return [_refusal(gate) for gate in inputs.gates if not gate.passed]


def _refusal(gate: GateLine) -> str:
    bound = f"{'at least' if gate.comparison == '>=' else 'at most'} {figure(gate.bound)}"
    note = f" ({gate.note})" if gate.note else ""
    if gate.margin is None:
        return f"{gate.name}: not measured, {bound} needed{note}"
    return f"{gate.name}: {figure(gate.measured)} measured, {bound} needed, missed by {figure(-gate.margin)}{note}"


def comparisons(evaluated: Evaluated) -> list[Comparison]:
    """Set the headline metric against the champion's, on the same rows where that could be, and the baselines'."""
    headline, found = evaluated.headline, []
    if evaluated.challenge is not None:
        found = [
            Comparison("champion", one.champion, one.gain)
            for one in evaluated.challenge.compared
            if one.name == headline
        ]
    own = evaluated.metrics[TEST][headline]
    return found + [
        Comparison(name, values[headline], direction(headline) * (own - values[headline]))
        for name, values in ((name, evaluated.metrics[name]) for name in metric_columns(evaluated))
        if name != TEST and headline in values
    ]


def metric_columns(evaluated: Evaluated) -> list[str]:
    """Return what was measured, in the order of the table's columns: the model, then the baselines."""
    return sorted(evaluated.metrics, key=lambda name: name != TEST)


def metric_rows(evaluated: Evaluated) -> list[tuple[str, tuple[float, float] | None, list[float | None]]]:
    """Return each metric's name, the model's interval, and the values in the order of the columns."""
    columns = [evaluated.metrics[name] for name in metric_columns(evaluated)]
    names = in_order(dict.fromkeys(name for values in columns for name in values))
    return [(name, evaluated.intervals.get(name), [values.get(name) for values in columns]) for name in names]


def in_order(names: Iterable[str]) -> list[str]:
    """Return metrics in the order of their table, and what is none behind them."""
    places = {name: place for place, name in enumerate(METRIC)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


def calibration_rows(evaluated: Evaluated) -> list[tuple[str, float, float]]:
    """Return each metric that calibration or a threshold changed, before and after."""
    own = evaluated.metrics[TEST]
    before = evaluated.uncalibrated
    both = [(name, before[name], own[name]) for name in in_order(before) if name in own]
    return [each for each in both if each[1] != each[2]]


def flatten(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield a nested mapping's leaves as dotted names and readable values; sequences are written as JSON."""
    for name, value in values.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{path}.")
        elif isinstance(value, Mapping | list | tuple):
            yield path, json.dumps(value, ensure_ascii=False, default=str)
        else:
            yield path, figure(value) if isinstance(value, float | bool | None) else str(value)


def drawings(inputs: ReportInputs) -> dict[str, str]:
    """Draw every plot for which there are points, by the plot's name."""
    history, evaluated = inputs.history, inputs.evaluated
    drawn = row_drawings(inputs.accounting)
    if history.validation[0]:
        drawn["loss"] = plots.loss_curves(history.training, history.validation, history.best_step, history.metric)
    if evaluated.confusion:
        drawn["confusion"] = class_plots.confusion_matrix(evaluated.confusion, evaluated.classes)
    if inputs.explained is not None and inputs.explained.importance:
        drawn["importance"] = importance_bars(inputs.explained.importance)
    return drawn | _curves(evaluated) | _figures(evaluated.figures)


def row_drawings(rows: Accounting) -> dict[str, str]:
    """Draw where the rows went."""
    drawn = {"rows": plots.row_accounting(rows.kept, rows.in_quarantine, rows.left_out)}
    if rows.quarantined:
        drawn["quarantine"] = plots.quarantine_reasons(rows.quarantined)
    return drawn


def _curves(evaluated: Evaluated) -> dict[str, str]:
    curves, own, drawn = evaluated.curves, evaluated.metrics[TEST], {}
    if curves.roc:
        drawn["roc"] = class_plots.roc_curve(curves.roc, own.get("roc_auc"))
    if curves.precision_recall:
        share = _positive_share(evaluated)
        average = own.get("average_precision")
        drawn["pr"] = class_plots.precision_recall_curve(curves.precision_recall, average, share)
    if curves.calibration:
        drawn["calibration"] = class_plots.calibration_curve(curves.calibration, curves.uncalibrated)
    if curves.gains:
        drawn["gains"] = class_plots.gains_curve(curves.gains)
    if curves.lift:
        drawn["lift"] = class_plots.lift_curve(curves.lift)
    return drawn


def _figures(figures: Mapping[str, Any]) -> dict[str, str]:
    drawn = {}
    if points := figures.get("scatter"):
        band = (points["low"], points["high"]) if "low" in points else None
        drawn["scatter"] = number_plots.predicted_and_true((points["predicted"], points["true"]), band)
    if bars := figures.get("residuals"):
        drawn["residuals"] = number_plots.residual_histogram(bars["edges"], bars["count"])
    if spread := figures.get("by_prediction"):
        drawn["spread"] = number_plots.residuals_by_prediction(spread)
    if quantiles := figures.get("quantiles"):
        drawn["quantiles"] = number_plots.quantile_calibration((quantiles["asked"], quantiles["below"]))
    return drawn


def _positive_share(evaluated: Evaluated) -> float | None:
    """Return the share of the second class's rows, which is what chance reaches; many classes have no one share."""
    counts = evaluated.confusion
    total = sum(map(sum, counts))
    return sum(counts[1]) / total if len(counts) == 2 and total else None

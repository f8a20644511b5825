"""The words and figures of a report: what each section says, before any HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.report import plots
from tasks.report.inputs import GateLine, ReportInputs
from tasks.report.wording import figure

TEST, CHAMPION = "test", "champion"
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece"})


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


def comparisons(inputs: ReportInputs) -> list[Comparison]:
    """Set the headline metric against the champion's and the baselines', the model's own columns left out."""
    own = inputs.metrics[TEST][inputs.headline]
    sign = -1 if inputs.headline in LOWER_IS_BETTER else 1
    return [
        Comparison(name, values[inputs.headline], sign * (own - values[inputs.headline]))
        for name, values in ((name, inputs.metrics[name]) for name in metric_columns(inputs))
        if name != TEST and inputs.headline in values
    ]


def metric_columns(inputs: ReportInputs) -> list[str]:
    """Return what was measured, in the order of the table's columns: the model, its champion, the baselines."""
    return sorted(inputs.metrics, key=lambda name: (name != TEST, name != CHAMPION))


def metric_rows(inputs: ReportInputs) -> list[tuple[str, list[float | None]]]:
    """Return each metric's name and its values in the order of the columns."""
    columns = [inputs.metrics[name] for name in metric_columns(inputs)]
    names = dict.fromkeys(name for values in columns for name in values)
    return [(name, [values.get(name) for values in columns]) for name in names]


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
    rows, history, curves = inputs.accounting, inputs.history, inputs.curves
    own = inputs.metrics[TEST]
    drawn = {"rows": plots.row_accounting(rows.kept, rows.in_quarantine, rows.left_out)}
    if rows.quarantined:
        drawn["quarantine"] = plots.quarantine_reasons(rows.quarantined)
    if history.validation[0]:
        drawn["loss"] = plots.loss_curves(history.training, history.validation, history.best_step)
    if inputs.confusion:
        drawn["confusion"] = plots.confusion_matrix(inputs.confusion, inputs.classes)
    if curves.roc:
        drawn["roc"] = plots.roc_curve(curves.roc, own.get("roc_auc"))
    if curves.precision_recall:
        share = _positive_share(inputs)
        drawn["pr"] = plots.precision_recall_curve(curves.precision_recall, own.get("average_precision"), share)
    if curves.calibration:
        drawn["calibration"] = plots.calibration_curve(curves.calibration)
    return drawn


def _positive_share(inputs: ReportInputs) -> float | None:
    """Return the share of the second class's rows, which is what chance reaches; many classes have no one share."""
    total = sum(map(sum, inputs.confusion))
    return sum(inputs.confusion[1]) / total if len(inputs.confusion) == 2 and total else None

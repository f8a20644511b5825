"""`report.html`: everything a run found, on one page that needs no network."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from tasks.metrics.table import direction
from tasks.report import sections, wording
from tasks.report.inputs import ReportInputs
from tasks.storage import write_atomic


def run_report(inputs: ReportInputs, out: Path) -> Path:
    """Write a run's report.

    The same inputs give the same bytes: the page holds no time of its own.

    Args:
        inputs: What to show.
        out: The file to write, such as `report.html` in the run's folder.

    Returns:
        The file written.
    """
    write_atomic(out, render(inputs).encode())
    return out


def render(inputs: ReportInputs) -> str:
    """Return the report's HTML. Every value is escaped; only our own style sheet and drawings are not."""
    environment = Environment(
        loader=PackageLoader("tasks.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (sections.flatten, wording.figure, wording.interval, wording.label, wording.share)
    environment.filters |= {function.__name__: function for function in filters}
    evaluated = inputs.evaluated
    return environment.get_template("report.html.j2").render(
        inputs=inputs,
        evaluated=evaluated,
        drawings=sections.drawings(inputs),
        comparisons=sections.comparisons(evaluated),
        refusals=sections.refusals(inputs),
        metric_columns=sections.metric_columns(evaluated),
        metric_rows=sections.metric_rows(evaluated),
        calibration_rows=sections.calibration_rows(evaluated),
        direction=direction,
        rules=sorted(inputs.rules, key=lambda rule: rule.passed),
    )

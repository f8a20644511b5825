"""`report.html`: everything a run found, on one page that needs no network."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tasks.metrics.table import direction
from tasks.report import sections, wording
from tasks.report.advice import advice
from tasks.report.answers import answers
from tasks.report.inputs import EarlyInputs, ReportInputs
from tasks.storage import write_atomic, write_json


def run_report(inputs: ReportInputs, out: Path) -> Path:
    """Write a run's report, and beside it as JSON what it tells, but for the points of its plots.

    The same inputs give the same bytes: neither holds a time of its own.

    Args:
        inputs: What to show.
        out: The file to write, such as `report.html` in the run's folder.

    Returns:
        The file written.
    """
    write_atomic(out, render(inputs).encode())
    # Through its JSON: what is not a number becomes null.
    told = json.loads(inputs.model_dump_json(exclude={"evaluated": {"curves", "figures"}, "history": True}))
    said = {
        "answers": [each.model_dump() for each in answers(inputs)],
        "next": [each.model_dump() for each in advice(inputs)],
        "refusals": sections.refusals(inputs),
    }
    write_json(out.with_suffix(".json"), told | said)
    return out


def run_early_report(inputs: EarlyInputs, out: Path) -> Path:
    """Write the report of a run that ended before there was a model.

    Args:
        inputs: What to show.
        out: The file to write.

    Returns:
        The file written.
    """
    write_atomic(out, render_early(inputs).encode())
    write_json(out.with_suffix(".json"), inputs.model_dump(mode="json"))
    return out


def render(inputs: ReportInputs) -> str:
    """Return the report's HTML. Every value is escaped; only our own style sheet and drawings are not."""
    evaluated, drawings = inputs.evaluated, sections.drawings(inputs)
    return _template("report.html.j2").render(
        inputs=inputs,
        evaluated=evaluated,
        answers=answers(inputs),
        advice=advice(inputs),
        drawings=drawings,
        curves=not sections.CURVES.isdisjoint(drawings),
        comparisons=sections.comparisons(evaluated),
        refusals=sections.refusals(inputs),
        metric_columns=sections.metric_columns(evaluated),
        metric_rows=sections.metric_rows(evaluated),
        calibration_rows=sections.calibration_rows(evaluated),
        direction=direction,
    )


def render_early(inputs: EarlyInputs) -> str:
    """Return the HTML of the report of a run that ended early."""
    return _template("early.html.j2").render(inputs=inputs, drawings=sections.row_drawings(inputs.accounting))


def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("tasks.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (sections.flatten, wording.coded, wording.figure, wording.interval, wording.label, wording.share)
    environment.filters |= {function.__name__: function for function in filters}
    return environment.get_template(name)

"""A model version's card as markdown: what it is, how good it is and against what, and its plots as images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.artifacts.links import to_model
from pipelines.artifacts.posting import between, figure, image, markdown_table
from tasks.report import class_plots, groups, number_plots
from tasks.report.evaluated import Compared
from tasks.report.inputs import ReportInputs
from tasks.report.sections import in_order


def card(told: ReportInputs, learned_by: str) -> str:
    """Return the card.

    Args:
        told: What the report tells.
        learned_by: The kind of model, such as `mlp`.
    """
    parts = [*_what(told, learned_by), *_metrics(told), *_pictures(told), *_protected(told), *_speed(told)]
    return "\n\n".join(parts)


def _what(told: ReportInputs, learned_by: str) -> Iterator[str]:
    lineage = told.lineage
    contract, config = lineage["contract"], lineage["config"]
    yield f"# {told.model} version {told.version}"
    stays = f"version {told.champion_version} stays the champion" if told.champion_version else "there is no champion"
    verdict = "Promoted: it is the champion" if told.promoted else f"Refused; {stays}"
    address = to_model(told.model, told.version if told.promoted else None)
    yield f"**{verdict}.**" + (f" [Try it]({address})" if address else "")
    rows = {
        "predicts": f"`{config['target']}`" if "target" in config else "the class of an image",
        "learned by": learned_by,
        "contract": f"{contract['name']} {contract['version']}",
        "data": f"`{lineage['data']['source']}`, digest `{lineage['data']['raw'][:12]}`",
        "bundle": f"`{lineage['bundle']['digest'][:12]}`",
        "rows learned from": f"{told.accounting.splits['train']:,}",
    }
    yield markdown_table([{"about it": name, "": value} for name, value in rows.items()])


def _metrics(told: ReportInputs) -> Iterator[str]:
    found = told.evaluated
    baselines = {name: values for name, values in found.metrics.items() if name != "test"}
    gains = {} if found.challenge is None else {one.name: one for one in found.challenge.compared}
    rows = []
    test = found.metrics["test"]
    for name, value in ((name, test[name]) for name in in_order(test)):
        row: dict[str, Any] = {
            "metric": name,
            "test": figure(value),
            "interval": between(found.intervals.get(name)),
            **{baseline: figure(values.get(name)) for baseline, values in baselines.items()},
        }
        if found.challenge is not None:
            one = gains.get(name)
            row["champion before"] = figure(None if one is None else one.champion)
            row["gain"] = "none" if one is None else _gain(one)
        rows.append(row)
    yield "## How good it is"
    yield markdown_table(rows)
    yield " ".join(said for said in (found.drawn, "" if found.challenge is None else found.challenge.said) if said)


def _gain(one: Compared) -> str:
    interval = "" if one.interval is None else f" ({between(one.interval)})"
    return figure(one.gain) + interval


def _pictures(told: ReportInputs) -> Iterator[str]:
    found = told.evaluated
    if found.confusion:
        yield image("confusion matrix", class_plots.confusion_matrix(found.confusion, found.classes))
    elif points := found.figures.get("scatter"):
        yield image("predicted and true", number_plots.predicted_and_true((points["predicted"], points["true"])))
    if told.explained is not None and told.explained.importance:
        yield "## What it looks at"
        yield told.explained.said
        yield image("importance", groups.importance_bars(told.explained.importance))


def _protected(told: ReportInputs) -> Iterator[str]:
    if told.sliced is None or not told.sliced.fairness:
        return
    rows = [
        {"protected": each.column, "measure": name, "value": figure(value)}
        for each in told.sliced.fairness
        for name, value in each.measures
    ]
    yield "## Between protected groups"
    yield markdown_table(rows)


def _speed(told: ReportInputs) -> Iterator[str]:
    latency: Mapping[str, float] = told.latency
    yield "## How fast it answers"
    yield markdown_table([{"case": case, "milliseconds": figure(value)} for case, value in latency.items()])

"""Slices, fairness and explanations, from their files to the report's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.explanation.explain import read_explanation
from tasks.metrics.table import METRIC, metric_names
from tasks.references import ExplanationRef, SlicesRef
from tasks.report.groups import Explained, FairnessTable, Group, Important, RowExplained, Sliced
from tasks.report.wording import figure
from tasks.slices.fairness import FAIRNESS
from tasks.slices.slices import read_slices

# Metrics of a group that the report shows: the first of a problem, by which most is said.
_METRICS = 3
_COLUMNS = 8


def sliced(ref: SlicesRef) -> Sliced:
    """Gather what the report says of parts of the test split."""
    found = read_slices(ref)
    names = metric_names(found["problem"])[:_METRICS]
    search = found["search"]
    worst = [
        _group(each, " and ".join(f"{column}: {group}" for column, group in each["slice"]), names)
        for each in search["found"]
    ]
    columns = {
        column: tuple(_group(each, each["group"], names) for each in measured["groups"])
        for column, measured in found["columns"].items()
    }
    return Sliced(
        loss=found["loss"],
        metrics=names,
        searched=_searched(search, found["min_rows"]),
        tried=search["tried"],
        worst=tuple(worst),
        columns=columns,
        left_out={
            column: f"{small['groups']:,} groups of fewer than {found['min_rows']:,} rows are left out, "
            f"{small['rows']:,} rows together: {', '.join(small['names'])}"
            for column, small in ((name, each["left_out"]) for name, each in found["columns"].items())
            if small["groups"]
        },
        fairness=tuple(_fairness(column, each) for column, each in found["fairness"].items()),
    )


def _group(found: Mapping[str, Any], name: str, metrics: Sequence[str]) -> Group:
    return Group(
        name=name,
        rows=found["rows"],
        loss=found["loss"],
        rest=found.get("rest"),
        interval=found.get("interval"),
        metrics={metric: found["metrics"].get(metric) for metric in metrics},
    )


def _searched(search: Mapping[str, Any], min_rows: int) -> str:
    if not search["columns"]:
        return "No slices were looked for."
    return (
        f"{search['tried']:,} slices of at least {min_rows:,} rows were tried: values of one of "
        f"{len(search['columns'])} columns, or of two together. Those told lose more than all other rows by Welch's "
        f"test, with at most {100 * (1 - search['confidence']):.2g}% false finds among them."
    )


def _fairness(column: str, found: Mapping[str, Any]) -> FairnessTable:
    names = list(dict.fromkeys(name for each in found["groups"] for name in each if name not in {"group", "class"}))
    return FairnessTable(
        column=column,
        measures=tuple(
            (FAIRNESS[name].label + (f" ({each['class']})" if "class" in each else ""), each["value"])
            for name, each in found["measures"].items()
        ),
        names=tuple(names),
        groups=tuple(
            (
                f"{each['group']}, class {each['class']}" if "class" in each else each["group"],
                tuple(map(each.get, names)),
            )
            for each in found["groups"]
        ),
        left_out=", ".join(f"{each['group']} ({each['rows']:,})" for each in found["left_out"]),
    )


def explained(ref: ExplanationRef) -> Explained:
    """Gather what the report says of what the model looks at."""
    found = read_explanation(ref)
    importance, examples = found["importance"], found["examples"]
    return Explained(
        said="" if importance is None else _permuted(importance),
        importance=() if importance is None else tuple(Important(**each) for each in importance["columns"]),
        method="" if examples is None else examples["method"],
        rows=() if examples is None else tuple(_rows(examples)),
    )


def _permuted(importance: Mapping[str, Any]) -> str:
    name = importance["metric"]
    label = METRIC[name].label
    left_out = importance["left_out"]
    others = f" {left_out:,} other columns move the scores less and were not permuted." if left_out else ""
    return (
        f"By how much {label} gets worse than {figure(importance['value'])} where a column is permuted over "
        f"{importance['rows']:,} rows of the test split; mean and deviation of {importance['repeats']} times.{others}"
    )


def _rows(examples: Mapping[str, Any]) -> Iterator[RowExplained]:
    for each in examples["rows"]:
        shown = each["columns"][:_COLUMNS]
        others = sum(one["adds"] for one in each["columns"][_COLUMNS:]) + each["remainder"]
        yield RowExplained(
            row=each["row"],
            chosen=each["chosen"],
            loss=each["loss"],
            of=each["of"],
            score=each["score"],
            base=each["base"],
            columns=tuple((one["column"], one["adds"]) for one in shown),
            others=others,
        )

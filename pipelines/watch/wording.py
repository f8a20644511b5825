"""What a drift check found, in words, for the command line and for the page of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tasks.drift.report import DriftReport, Performance, TestResult

_BY_CHANCE = {"psi": "PSI", "ks": "KS", "chi_squared": "chi²"}


class Change(NamedTuple):
    """One thing that drifted.

    Attributes:
        since: When it most likely began; a dash where that is not known.
    """

    drifted: str
    what: str
    how_much: str
    since: str


def headline(report: DriftReport) -> str:
    """Say what was looked at."""
    return (
        f"{report.model} {report.version}: {report.rows:,} rows from {_at(report.begin)} to {_at(report.end)}, "
        f"{len(report.tests)} tests, at most {report.alarm_rate:g} false alarms a check"
    )


def changes(report: DriftReport) -> list[Change]:
    """Return what drifted, the surest first: for each series one alarm of its distribution, and its others."""
    kept: dict[tuple[str, str, str], TestResult] = {}
    for alarm in report.alarms:
        kept.setdefault((alarm.of, alarm.series, "distribution" if alarm.test in _BY_CHANCE else alarm.test), alarm)
    return [_change(each) for each in kept.values()]


def drifted(report: DriftReport) -> tuple[str, ...]:
    """Return the names of what drifted, each once."""
    return tuple(dict.fromkeys(change.drifted for change in changes(report)))


def _change(alarm: TestResult) -> Change:
    name = f"{alarm.of} {alarm.series}" if alarm.of != "record" else alarm.series
    since = _at(alarm.since) if alarm.since and alarm.of != "labels" else "-"
    if alarm.test in _BY_CHANCE:
        measured = f"{_BY_CHANCE[alarm.test]} {alarm.statistic:.3g}, chance {alarm.threshold:.3g}"
    elif alarm.test == "performance":
        measured = f"chance {alarm.threshold:.2g} standard errors"
    else:
        measured = f"chance {100 * alarm.threshold:.3g} %"
    return Change(name, alarm.said, measured, since)


def labelled(found: Performance) -> str:
    """Say how many labels there were, and how many of them did not count."""
    return (
        f"{found.rows:,} labelled rows; labels of no sampled row: {found.unmatched:,}, of rows sampled twice: "
        f"{found.ambiguous:,}, null: {found.unlabelled:,}"
    )


def metrics(found: Performance) -> list[tuple[str, str, str, str]]:
    """Return each metric's name, its value on served rows, that value's interval, and its value in the evaluation."""
    rows = []
    for name, metric in found.metrics.items():
        interval = "-" if metric.interval is None else f"{metric.interval[0]:.4g} to {metric.interval[1]:.4g}"
        evaluated = "-" if metric.evaluated is None else f"{metric.evaluated:.4g}"
        rows.append((name, f"{metric.served:.4g}", interval, evaluated))
    return rows


def in_lines(report: DriftReport) -> list[str]:
    """Return a report for people: what drifted, then how good the predictions were, then what was not compared."""
    lines = [headline(report)]
    if report.drift:
        lines += ["", *_aligned([("drifted", "what changed", "by how much", "since"), *changes(report)])]
    else:
        lines.append("nothing drifted")
    found = report.performance
    if found is not None:
        table = [("metric", "served", "interval", "evaluated"), *metrics(found)]
        lines += ["", labelled(found), *(_aligned(table) if found.metrics else ())]
    return lines + [f"note: {note}" for note in report.notes]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")

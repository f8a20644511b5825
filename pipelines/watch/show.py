"""What a check shows in the Prefect UI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.artifacts import posting
from pipelines.watch.look import Look
from pipelines.watch.wording import changes, drifted, headline, labelled, metrics
from tasks.drift.report import DriftReport, SeriesReport
from tasks.report.drift_plots import shares_bars
from tasks.report.svg import as_data_uri

_MOST_PLOTS = 6


def show(found: Look, page: Path) -> None:
    """Show what drifted, by how much and since when, every test, and a plot of each series that drifted.

    Args:
        found: What came of the check.
        page: Where its report lies.
    """
    report = found.report
    if report is not None:
        rows = [
            {"drifted": each.drifted, "what changed": each.what, "by how much": each.how_much, "since": each.since}
            for each in changes(report)
        ]
        none = [{"drifted": "nothing", "what changed": f"{report.rows:,} rows were looked at"}]
        posting.table(rows or none, key="drift", description="What drifted, by how much, and since when")
        posting.table(_tests(report), key="drift-tests", description="Every test; p-values are corrected")
    posting.markdown("\n\n".join(_text(found, page)), key="drift-report", description="The drift check")


def _tests(report: DriftReport) -> list[dict[str, str]]:
    return [
        {
            "series": each.series,
            "of": each.of,
            "test": each.test,
            "statistic": f"{each.statistic:.4g}",
            "chance": f"{each.threshold:.4g}",
            "p": f"{each.p_value:.2g}",
            "alarm": "YES" if each.alarm else "no",
        }
        for each in sorted(report.tests, key=lambda each: each.p_value)
    ]


def _text(found: Look, page: Path) -> Iterator[str]:
    yield f"**{found.verdict}**: {found.said}"
    report = found.report
    if report is not None:
        yield headline(report)
        yield from (_plot(each) for each in _drawn(report))
        if report.performance is not None:
            yield labelled(report.performance)
            table = metrics(report.performance)
            if table:
                yield _table(("metric", "served", "interval", "evaluated"), table)
        yield from (f"note: {note}" for note in report.notes)
    yield f"[report.json]({page.as_uri()})\n\n`{page}`"


def _drawn(report: DriftReport) -> list[SeriesReport]:
    """Return the series that drifted and have a distribution, the surest alarms first."""
    named = drifted(report)
    order = {name: place for place, name in enumerate(named)}
    found = [
        (order.get(each.name if each.of == "record" else f"{each.of} {each.name}"), each) for each in report.series
    ]
    known = [(place, each) for place, each in found if place is not None and each.shares]
    return [each for _, each in sorted(known, key=lambda pair: pair[0])][:_MOST_PLOTS]


def _plot(series: SeriesReport) -> str:
    name = series.name if series.of == "record" else f"{series.of} {series.name}"
    picture = shares_bars(name, [(each.values, each.reference, each.served) for each in series.shares])
    return f"### {name}\n\n![{name}]({as_data_uri(picture)})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

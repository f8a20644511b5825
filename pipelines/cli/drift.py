"""`headrace drift`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.model_store import known_versions, model_store
from pipelines.cli.outcome import print_json
from serving.bundle.errors import StoreError

if TYPE_CHECKING:
    from tasks.drift.report import DriftReport, Performance, TestResult

DRIFT = 3
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_BY_CHANCE = {"psi": "PSI", "ks": "KS", "chi_squared": "chi²"}


@click.command()
@click.argument("model")
@click.option("--version", help="Of the model; its champion by default.")
@click.option(
    "--samples",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("samples"),
    show_default=True,
    help="The folder that the endpoint samples into.",
)
@click.option("--since", metavar="WHEN", help="Look at rows from then on: 90m, 24h, 7d, or a date or time (UTC).")
@click.option(
    "--labels", type=click.Path(path_type=Path, dir_okay=False), help="What turned out to be true: CSV or Parquet."
)
@click.option(
    "--alarm-rate",
    type=click.FloatRange(0, 0.5, min_open=True, max_open=True),
    default=0.0005,
    show_default=True,
    help="Chance of a false alarm in a check.",
)
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(
    model: str, version: str | None, samples: Path, since: str | None, alarm_rate: float, **more: Path | bool | None
) -> None:
    """Hold the sampled traffic of MODEL against what its training data and its evaluation looked like.

    Ends with exit code 0 where nothing drifted and with 3 where something did.

    \b
    Example:
      headrace drift flight-delay --samples samples --since 24h
      headrace drift flight-delay --labels labels.csv
    """
    from tasks.drift.drift import DriftConfig, run_drift

    store = model_store()
    if model not in store.models():
        raise StoreError(f"{store.root} has no model {model!r}; it has: {', '.join(store.models()) or 'none'}")
    champion = store.champion(model)
    chosen = version or (champion.version if champion else None)
    if chosen is None or chosen not in store.versions(model):
        what = f"version {chosen!r}" if chosen else "champion"
        raise StoreError(f"model {model!r} has no {what} in {store.root}; its versions: {known_versions(store, model)}")
    labels = more["labels"]
    assert labels is None or isinstance(labels, Path)
    begin = None if since is None else parse_since(since, datetime.now(UTC))
    config = DriftConfig(samples=samples, since=begin, labels=labels, alarm_rate=alarm_rate)
    report = run_drift(store.bundle_path(model, chosen), chosen, config)
    for line in in_lines(report):
        click.echo(line)
    if more["as_json"]:
        print_json({"status": "drift" if report.drift else "no drift", **report.model_dump(mode="json")})
    if report.drift:
        raise SystemExit(DRIFT)


def parse_since(text: str, now: datetime) -> datetime:
    """Return the time that `--since` names.

    Args:
        text: A number of minutes, hours or days before now (`90m`, `24h`, `7d`), or a date or time in ISO 8601; without
            an offset it is in UTC.
        now: With an offset.

    Raises:
        click.BadParameter: It is neither.
    """
    before = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if before:
        return now - timedelta(**{_UNITS[before[2]]: int(before[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no time; write 90m, 24h, 7d, 2026-05-01 or 2026-05-01T10:00:00Z", param_hint="--since"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def in_lines(report: DriftReport) -> list[str]:
    """Return a report for people: what drifted, then how good the predictions were, then what was not compared."""
    head = (
        f"{report.model} {report.version}: {report.rows:,} rows from {_at(report.begin)} to {_at(report.end)}, "
        f"{len(report.tests)} tests, at most {report.alarm_rate:g} false alarms a check"
    )
    lines = [head]
    if report.drift:
        rows = [
            ("drifted", "what changed", "by how much", "since"),
            *(_alarm(each) for each in _strongest(report.alarms)),
        ]
        lines += ["", *_aligned(rows)]
    else:
        lines.append("nothing drifted")
    if report.performance is not None:
        lines += ["", *_performance(report.performance)]
    return lines + [f"note: {note}" for note in report.notes]


def _strongest(alarms: Sequence[TestResult]) -> list[TestResult]:
    """Return for each series one alarm of its distribution, and its others."""
    kept: dict[tuple[str, str, str], TestResult] = {}
    for alarm in alarms:
        kept.setdefault((alarm.of, alarm.series, "distribution" if alarm.test in _BY_CHANCE else alarm.test), alarm)
    return list(kept.values())


def _alarm(alarm: TestResult) -> tuple[str, str, str, str]:
    name = f"{alarm.of} {alarm.series}" if alarm.of != "record" else alarm.series
    since = _at(alarm.since) if alarm.since and alarm.of != "labels" else "-"
    if alarm.test in _BY_CHANCE:
        return name, alarm.said, f"{_BY_CHANCE[alarm.test]} {alarm.statistic:.3g}, chance {alarm.threshold:.3g}", since
    if alarm.test == "performance":
        return name, alarm.said, f"chance {alarm.threshold:.2g} standard errors", since
    return name, alarm.said, f"chance {100 * alarm.threshold:.3g} %", since


def _performance(found: Performance) -> list[str]:
    yes = f"{found.rows:,} labelled rows; labels of no sampled row: {found.unmatched:,}, of rows sampled twice: "
    rows = [("metric", "served", "interval", "evaluated")]
    for name, metric in found.metrics.items():
        interval = "-" if metric.interval is None else f"{metric.interval[0]:.4g} to {metric.interval[1]:.4g}"
        rows.append(
            (name, f"{metric.served:.4g}", interval, "-" if metric.evaluated is None else f"{metric.evaluated:.4g}")
        )
    return [f"{yes}{found.ambiguous:,}, null: {found.unlabelled:,}", *(_aligned(rows) if found.metrics else ())]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")

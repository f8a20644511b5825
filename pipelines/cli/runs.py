"""`headrace runs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.columns import in_columns
from pipelines.cli.outcome import print_json

if TYPE_CHECKING:
    from pipelines.runs.record import RunRecord

_JSON = click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")


@click.group()
def command() -> None:
    """List, show and compare the runs of this home.

    A run is named by its id, of which the beginning is enough, or by a pipeline's name for its latest run; `latest` is
    the latest of all.

    \b
    Example:
      headrace runs list
      headrace runs show latest
      headrace runs compare 20261122-07 20261122-09
    """


@command.command(name="list")
@click.option("--pipeline", metavar="NAME", help="Only the runs of this pipeline.")
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="How many, the newest first.")
@_JSON
def list_runs(pipeline: str | None, last: int, as_json: bool) -> None:
    """List runs, the newest first, and how each ended.

    \b
    Example:
      headrace runs list --pipeline flights --last 5
    """
    from pipelines.runs.folders import run_names
    from pipelines.runs.record import RunRecord
    from tasks.storage import headrace_home

    home = headrace_home()
    names = run_names(home, pipeline)
    rows = [_row(RunRecord.of(home, name)) for name in names[:last]]
    if as_json:
        print_json({"home": str(home), "total": len(names), "runs": rows})
        return
    if not rows:
        click.echo(f"no runs in {home}; `headrace run CONFIG` makes one", err=True)
        return
    head = ("pipeline", "run", "when (UTC)", "partition", "verdict", "model", "metric", "took")
    for line in in_columns([head, *map(_listed, rows)]):
        click.echo(line)
    if len(names) > last:
        click.echo(f"{len(names) - last:,} older; `--last {len(names)}` lists all", err=True)


def _row(record: RunRecord) -> Mapping[str, Any]:
    """Return a run's row; one whose documents are torn hides no other."""
    from tasks.errors import IntegrityError

    try:
        return record.row
    except IntegrityError as error:
        click.echo(f"warning: {error}", err=True)
        return {**record.place, "verdict": "torn"}


@command.command()
@click.argument("run")
@_JSON
def show(run: str, as_json: bool) -> None:
    """Show what RUN was, how it ended, and where its files are.

    \b
    Example:
      headrace runs show latest
      headrace runs show flights/20261122-074218
    """
    from pipelines.runs.comparison import compared

    (record,) = _records([run])
    found = {name: sides for name, sides in compared([record]).items() if name in {"data", "metrics", "gates"}}
    message = record.outcome.get("message")
    if as_json:
        alone = {kind: {name: each for name, (each,) in sides.items()} for kind, sides in found.items()}
        print_json({**record.row, **alone, "config": record.config, "message": message})
        return
    row = record.row
    for name in ("pipeline", "run", "partition", "verdict", "model", "version", "folder"):
        if row[name] is not None:
            click.echo(f"{name:<10} {row[name]}")
    click.echo(f"{'when':<10} {record.when:%Y-%m-%d %H:%M:%S} UTC{_took(row['seconds'], ', took ')}")
    if message:
        click.echo(f"\n{message}")
    for line in _told(found, ()):
        click.echo(line)


@command.command()
@click.argument("runs", nargs=-1, required=True)
@_JSON
def compare(runs: tuple[str, ...], as_json: bool) -> None:
    """Set RUNS side by side: settings that differ, data, metrics with their intervals, gates.

    \b
    Example:
      headrace runs compare flights/20261122-0742 flights/20261122-0810
    """
    from pipelines.runs.comparison import compared

    if len(runs) < 2:
        raise click.UsageError("expected at least two runs; `headrace runs show RUN` shows one")
    found = compared(_records(runs))
    if as_json:
        print_json(found)
        return
    for line in _told(found, [f"{each['pipeline']}/{each['run']}" for each in found["runs"]]):
        click.echo(line)


def _records(runs: Sequence[str]) -> list[RunRecord]:
    from pipelines.runs.folders import find_run
    from pipelines.runs.record import RunRecord
    from tasks.storage import headrace_home

    home = headrace_home()
    return [RunRecord.of(home, find_run(home, run)) for run in runs]


def _listed(row: Mapping[str, Any]) -> tuple[str, ...]:
    metric = "" if row["metric"] is None else f"{row['metric']} {row['value']:.4f}"
    model = "" if row["model"] is None else f"{row['model']} {row['version']}"
    when, partition = row["when"][:16].replace("T", " "), row["partition"] or ""
    return row["pipeline"], row["run"], when, partition, row["verdict"], model, metric, _took(row["seconds"])


def _took(seconds: float | None, said: str = "") -> str:
    if seconds is None:
        return ""
    return said + (f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min")


def _told(found: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Yield tables: a row for each name, a column for each run."""
    if names:
        yield from in_columns([("", *names), ("verdict", *(each["verdict"] for each in found["runs"]))])
        if not found["config"]:
            yield "\nconfig: the same"
    titles = {"config": "config, where it differs", "data": "data", "metrics": "metrics, test split", "gates": "gates"}
    for kind, title in titles.items():
        if found.get(kind):
            rows = [(f"  {name}", *map(_TEXTS[kind], sides)) for name, sides in found[kind].items()]
            yield f"\n{title}"
            yield from in_columns(rows)


def _setting(value: Any) -> str:
    return "-" if value is None else str(value)


def _fact(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    # A digest is known by its beginning.
    return "-" if value is None else str(value)[:12]


def _metric(found: Mapping[str, float] | None) -> str:
    if found is None:
        return "-"
    interval = "" if found["low"] is None else f" ({found['low']:.4f} to {found['high']:.4f})"
    return f"{found['value']:.4f}{interval}"


def _gate(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "-"
    measured = "not measured" if found["measured"] is None else f"{found['measured']:.4g}"
    return f"{'holds' if found['passed'] else 'REFUSED'}: {measured} {found['comparison']} {found['bound']:g}"


_TEXTS = {"config": _setting, "data": _fact, "metrics": _metric, "gates": _gate}

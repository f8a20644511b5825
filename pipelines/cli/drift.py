"""`headrace drift`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from pipelines.cli.model_store import known_versions, model_store
from pipelines.cli.outcome import print_json, tell
from pipelines.watch.durations import read_duration
from serving.bundle.errors import StoreError

DRIFT = 3


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
    from pipelines.watch.wording import in_lines
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
        tell(line)
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
    before = read_duration(text)
    if before is not None:
        return now - before
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no time; write 90m, 24h, 7d, 2026-05-01 or 2026-05-01T10:00:00Z", param_hint="--since"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)

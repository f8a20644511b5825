"""`headrace backfill`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.outcome import print_json, tell

if TYPE_CHECKING:
    from pipelines.scheduling.backfill import Done, Piece


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--from", "first", metavar="PARTITION", help="The first to run; by default the first there is.")
@click.option("--to", "last", metavar="PARTITION", help="The last to run; by default the last that is over.")
@click.option("--partition", "named", multiple=True, metavar="PARTITION", help="Run this one; may be repeated.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the config.")
@click.option("--again", is_flag=True, help="Run also those that an earlier backfill settled.")
@click.option("--dry-run", is_flag=True, help="Say what would be run.")
@click.option("--quiet", is_flag=True, help="Print errors and what became of each partition only.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(config: Path, overrides: tuple[str, ...], again: bool, dry_run: bool, as_json: bool, **asked: Any) -> None:
    """Run the pipeline CONFIG for each of its partitions, one after the other.

    Run again, it leaves out what is settled: partitions that were promoted, refused by a gate or broke their contract
    under the same config, contract, code and data. One that was killed goes on where it stopped.

    Exit codes: that of the worst partition, as `headrace run` has them.

    \b
    Example:
      headrace backfill flights-by-month.yaml --from 2013-01 --to 2013-12
    """
    from pipelines import environment

    if asked["named"] and (asked["first"] or asked["last"]):
        raise click.UsageError(
            "--partition names partitions one by one; --from and --to name a range: give one of them"
        )
    quiet = asked.pop("quiet")
    environment.prepare()
    from pipelines.embedded_server import start_embedded_server

    server = None if dry_run else start_embedded_server()
    from pipelines.check import check_pipeline
    from pipelines.config import load_pipeline
    from pipelines.scheduling.backfill import Range, partitions_of, pieces, worst
    from pipelines.scheduling.code import code_of_pipelines
    from tasks.storage import headrace_home

    check_pipeline(config, overrides)
    environment.require_home()
    section = load_pipeline(config, overrides)
    chosen = partitions_of(section.partitions, config, Range(**asked), datetime.now(UTC))
    todo = pieces(config, overrides, chosen, code_of_pipelines(), headrace_home())
    if dry_run:
        for piece in todo:
            tell(f"{piece.partition:<12} {_plan(piece, again)}")
        if as_json:
            print_json({"status": "dry run", "partitions": {each.partition: _plan(each, again) for each in todo}})
        return
    if server is not None and (again or any(piece.before is None for piece in todo)):
        server.wait_until_ready()
    found = _run(section.name, config, overrides, todo, again=again, quiet=quiet)
    code = worst([done.entry.exit_code for done in found])
    if as_json:
        told = {each.partition: each.entry.model_dump(mode="json") | {"before": each.before} for each in found}
        print_json({"status": "done", "exit_code": code, "partitions": told})
    if code:
        raise SystemExit(code)


def _plan(piece: Piece, again: bool) -> str:
    if piece.before is not None and not again:
        return f"{piece.before.outcome} before"
    return "would run: its data changed" if piece.changed else "would run"


def _run(
    pipeline: str, config: Path, overrides: Sequence[str], todo: Sequence[Piece], *, again: bool, quiet: bool
) -> list[Done]:
    from pipelines.cli.console import say, watching
    from pipelines.cli.stopping import stoppable
    from pipelines.scheduling.backfill import backfill
    from pipelines.scheduling.tagged_run import run_partition
    from pipelines.server_away import naming_server
    from tasks.storage import headrace_home

    changed = {piece.partition for piece in todo if piece.changed}

    def run(partition: str) -> dict[str, Any]:
        if not quiet:
            say(f"partition {partition}{', whose data changed' if partition in changed else ''}")
        with naming_server():
            return run_partition(config, overrides, partition)

    found: list[Done] = []
    try:
        with stoppable(), watching(quiet=quiet):
            found.extend(backfill(pipeline, todo, run, headrace_home(), again=again))
    finally:
        # Also of a backfill that something stopped.
        _show(found)
    return found


def _show(found: Sequence[Done]) -> None:
    for each in found:
        entry = each.entry
        made = f"version {entry.version}, {(entry.digest or '')[:12]}" if entry.version else ""
        why = made or entry.message.partition("\n")[0]
        tell(f"{each.partition:<12} {entry.outcome:<16} {'before' if each.before else 'now':<7} {why}")

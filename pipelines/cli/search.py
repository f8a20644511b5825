"""`headrace search`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.cli.outcome import print_json


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--trials", type=click.IntRange(min=1), help="How many there shall be in all.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="No trial begins later than this.")
@click.option("--parallel", type=click.IntRange(min=1), help="Processes that try at the same time.")
@click.option("--storage", metavar="URL", help="A database that Optuna can use; by default a file of SQLite.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where the best config is written.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the config.")
@click.option("--quiet", is_flag=True, help="Print errors and the best trial only.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(
    config: Path, out: Path | None, overrides: tuple[str, ...], quiet: bool, as_json: bool, **section: Any
) -> None:
    """Try the values that the section `search` of CONFIG names, and write the best trial's config.

    The options replace what the section says. Run again, the search goes on with the trials that are there; one that
    was killed is tried again. The config is written to CONFIG's name with `.best.yaml`, or to --out.

    \b
    Example:
      headrace search pipelines/configs/flights.yaml --trials 30 --parallel 2
    """
    from pipelines import environment

    environment.prepare()
    from pipelines.check import check_pipeline
    from pipelines.cli.console import say, watching
    from pipelines.cli.stopping import stoppable
    from pipelines.search.config import as_override

    given = [as_override(f"search.{key}", value) for key, value in section.items() if value is not None]
    overrides = (*overrides, *given)
    check_pipeline(config, overrides)
    environment.require_home()
    with stoppable(), watching(quiet=quiet):
        from pipelines.search.flow import search, shown
        from pipelines.server_away import naming_server

        with naming_server():
            found = search(str(config), list(overrides), str(out or config.with_suffix(".best.yaml")))
    if not quiet:
        _print_table(found)
    for line in shown(found)[:1] if quiet else shown(found):
        say(line)
    if as_json:
        print_json(found)


def _print_table(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from pipelines.search.outcome import rows

    told = rows(found)
    columns = dict.fromkeys(name for each in told for name in each)
    table = Table(*columns)
    for each in told:
        table.add_row(*(Text(each.get(name, "")) for name in columns))
    Console(stderr=True).print(table)

"""`headrace check`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.outcome import print_json


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the config.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(config: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Say what is wrong in CONFIG or in its contract, with file and line; runs nothing.

    \b
    Example:
      headrace check pipelines/configs/flights.yaml
    """
    from pipelines.check import check_pipeline

    checked = check_pipeline(config, overrides)
    contract = checked.contract
    click.echo(f"{config}: good; {checked.summary}")
    for note in checked.notes:
        click.echo(f"note: {note}")
    if as_json:
        rules = sum(
            map(len, (contract.row_rules, contract.key_rules, contract.table_rules, contract.expectation_rules))
        )
        found = {"contract": contract.path, "rules": rules, "notes": checked.notes}
        print_json({"status": "good", "config": str(config), **found})

"""`headrace check`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.outcome import print_json, tell


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the config.")
@click.option("--partition", metavar="NAME", help="Look at this part of the data, such as 2013-05.  [the first]")
@click.option("--quick", is_flag=True, help="Leave the source alone; it need not be there.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(config: Path, overrides: tuple[str, ...], partition: str | None, quick: bool, as_json: bool) -> None:
    """Say what is wrong in CONFIG, its contract or its source, with file and line; runs nothing.

    Of the source the first thousand rows, or a hundred images, are held against the contract. At the end stands about
    what a run will cost.

    \b
    Example:
      headrace check pipelines/configs/flights.yaml
    """
    from pipelines.check import check_pipeline

    checked = check_pipeline(config, overrides, partition)
    contract, notes = checked.contract, checked.notes
    found: dict[str, object] = {}
    lines = [f"{config}: good; {checked.summary}"]
    if not quick:
        from pipelines.checking.source import look_at_source

        looked = look_at_source(config, checked.config, contract)
        notes, found = (*notes, *looked.notes), looked.facts
        lines.append(f"source: {looked.summary}")
        lines.append(f"cost: {looked.cost}")
    for line in (*lines, *(f"note: {note}" for note in notes)):
        tell(line)
    if as_json:
        rules = sum(
            map(len, (contract.row_rules, contract.key_rules, contract.table_rules, contract.expectation_rules))
        )
        found |= {"contract": contract.path, "rules": rules, "notes": notes}
        print_json({"status": "good", "config": str(config), **found})

"""`headrace samples`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name", type=click.Choice(["flights"]))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def command(name: str, folder: Path) -> None:
    """Write the real dataset NAME into FOLDER as Parquet.

    \b
    Example:
      headrace samples flights data/flights
    """
    from pipelines.samples.flights import write_flights

    assert name == "flights"
    write_flights(folder)
    click.echo(f"wrote {sum(1 for _ in folder.glob('*.parquet'))} files to {folder}")

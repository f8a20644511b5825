"""`headrace samples`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name", type=click.Choice(["flights", "diabetes", "fashion-mnist"]))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def command(name: str, folder: Path) -> None:
    """Write the real dataset NAME into FOLDER: flights and diabetes as Parquet, fashion-mnist as IDX files of images.

    \b
    Example:
      headrace samples flights data/flights
    """
    if name == "flights":
        from pipelines.samples.flights import write_flights

        write_flights(folder)
    elif name == "diabetes":
        from pipelines.samples.diabetes import write_diabetes

        write_diabetes(folder)
    else:
        from pipelines.samples.fashion_mnist import write_fashion_mnist

        write_fashion_mnist(folder)
    written = sum(1 for each in folder.iterdir() if each.is_file())
    click.echo(f"wrote {written} file{'' if written == 1 else 's'} to {folder}")

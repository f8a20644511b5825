"""`headrace doctor`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.outcome import print_json, tell


@click.command()
@click.argument("config", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(config: Path | None, as_json: bool) -> None:
    """Say what this machine has and lacks: versions, cores, memory, disk, GPUs, ports and servers.

    With CONFIG also whether the Dask scheduler that it names answers. Nothing is changed. Exit code 1 where there is
    a problem; each comes with its remedy.

    \b
    Example:
      headrace doctor
    """
    from pipelines.doctor.look import look

    found = []
    for each in look(config):
        found.append(each)
        tell(f"{each.state:<8} {each.what:<11} {each.said}")
        if each.remedy is not None:
            tell(f"{'':<8} {'':<11} do: {each.remedy}")
    problems = sum(each.state == "problem" for each in found)
    if as_json:
        status = "problems" if problems else "good"
        print_json({"status": status, "problems": problems, "findings": [asdict(each) for each in found]})
    if problems:
        sys.exit(1)

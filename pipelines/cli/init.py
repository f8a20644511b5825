"""`headrace init`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.outcome import print_json, tell

if TYPE_CHECKING:
    from pipelines.starting.request import Started

_WIDEST = 36
_MOST_LINES = 25


@click.command()
@click.argument("source")
@click.option("--target", "targets", multiple=True, metavar="COLUMN", help="What to predict; several are labels.")
@click.option("--name", metavar="NAME", help="Of the pipeline and the model; by default the file's.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder of both files.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(
    source: str, targets: tuple[str, ...], name: str | None, out: Path | None, force: bool, as_json: bool
) -> None:  # fmt: skip
    """Look at SOURCE and write a contract and a pipeline's config to start from.

    SOURCE is a file of CSV, Parquet, Arrow or JSON lines, a folder of such files, or a folder with a folder of images
    for each class. Every rule of the contract is held against every row before it is written. Without --target, the
    columns that could be predicted are listed.

    \b
    Example:
      headrace init data/customers.csv --target churned
      headrace check pipelines/configs/customers.yaml
      headrace run pipelines/configs/customers.yaml
      headrace serve
    """
    from pipelines.starting.request import Request
    from pipelines.starting.start import start

    started = start(Request(source, targets, name, out, force))
    for line in _said(started):
        tell(line)
    if as_json:
        files = [str(path) for path in started.files]
        said = {"problem": started.facts["problem"], "assumed": started.assumed, "warnings": started.warnings}
        print_json({"status": "written", "name": started.name, "files": files, **started.facts, **said})


def _said(started: Started) -> Iterator[str]:
    yield started.found
    yield ""
    yield from _columns(started.table)
    yield ""
    yield started.problem
    yield from _listed("assumed", started.assumed)
    yield from _listed("look at", started.warnings)
    yield ""
    yield f"wrote {' and '.join(map(str, started.files))}; next:"
    config = shlex.quote(str(started.files[-1]))
    yield f"  headrace check {config}"
    yield f"  headrace run {config}"


def _listed(head: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{head}:"
        yield from (f"  {line}" for line in lines[:_MOST_LINES])
        if len(lines) > _MOST_LINES:
            yield f"  ... {len(lines) - _MOST_LINES:,} more; the config and the contract say each beside its column"


def _columns(table: Sequence[Sequence[str]]) -> Iterator[str]:
    short = [[_cut(cell) if place == 0 else cell for place, cell in enumerate(row)] for row in table]
    widths = [max(len(row[place]) for row in short) for place in range(len(short[0]))]
    for row in short:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _WIDEST else f"{plain[: _WIDEST - 3]}..."

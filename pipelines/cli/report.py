"""`headrace report`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.outcome import print_json

if TYPE_CHECKING:
    from pipelines.runs.record import RunRecord


@click.command()
@click.argument("run", default="latest")
@click.option("--open/--no-open", "opened", default=None, help="Open it in a browser; by default where there is one.")
@click.option("--text", is_flag=True, help="Print what it comes to, and open nothing.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object, and open nothing.")
def command(run: str, opened: bool | None, text: bool, as_json: bool) -> None:
    """Open the report of RUN (the latest by default), or print what it comes to.

    RUN is a run's id, of which the beginning is enough, or a pipeline's name for its latest run.

    \b
    Example:
      headrace report
      headrace report flights --text
      headrace report 20261122-0742 --no-open
    """
    from pipelines.runs.folders import find_run
    from pipelines.runs.record import PAGE, RunRecord
    from tasks.errors import ConfigError
    from tasks.storage import headrace_home

    home = headrace_home()
    record = RunRecord.of(home, find_run(home, run))
    page = record.folder / PAGE
    if as_json:
        print_json({**record.row, "report": str(page), "told": record.told})
        return
    if text and record.told:
        click.echo("\n".join(_essentials(record)))
    if not page.exists():
        message = record.outcome.get("message")
        raise ConfigError(
            f"run {record.name} has no report: {record.verdict}{f': {message}' if message else ''}\n"
            f"  do: `headrace runs show {record.name}` tells what there is"
        )
    click.echo(f"report     {page}" if text else str(page))
    if not text and (opened if opened is not None else _has_display()):
        _open(page)


def _open(page: Path) -> None:
    """Open a page in the user's browser; one in an object store is first copied to this machine."""
    import tempfile
    import webbrowser

    from tasks.storage import is_remote

    if is_remote(page):
        copy = Path(tempfile.mkdtemp(prefix="headrace-report-")) / page.name
        copy.write_bytes(page.read_bytes())
        page = copy
    if not webbrowser.open(page.as_uri()):
        click.echo("no browser could be started; open the file above yourself", err=True)


def _has_display() -> bool:
    """Say whether a person sits before this process: a terminal, and a display or a system that always has one."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in {"darwin", "win32"} or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _essentials(record: RunRecord) -> Iterator[str]:
    """Yield the report's answers: the same words as on its page."""
    told = record.told
    if "answers" not in told:
        yield f"{record.name}: {record.verdict}\n\n{told.get('message', '')}\n"
        return
    version = "" if told["version"] is None else f", version {told['version']}"
    yield f"{'Promoted' if told['promoted'] else 'Refused'}: {told['model']}{version}   ({record.name})"
    yield from (f"  - {refusal}" for refusal in told["refusals"])
    for answer in told["answers"]:
        yield f"\n{answer['question']} {answer['word']}\n  {answer['said']}"
    yield "\nWhat to do next"
    yield from _numbered(told["next"])
    yield ""


def _numbered(advice: list[Mapping[str, Any]]) -> Iterator[str]:
    for place, each in enumerate(advice, 1):
        yield f"  {place}. {each['do']}\n     {each['why']}"

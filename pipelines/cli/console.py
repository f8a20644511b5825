"""What a person sees while a pipeline runs: one line per finished piece and, in a terminal, one bar below them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.live import Live

from pipelines.cli.live_view import LiveView
from tasks.progress import listening, reading

_LOGGERS = tuple(logging.getLogger(room) for room in ("data_contracts", "pipelines", "tasks"))
_REFRESHES_PER_SECOND = 2


class _Lines(logging.Handler):
    """Prints Headrace's own records, above whatever bar is being drawn."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watching(*, quiet: bool = False) -> Iterator[None]:
    """Print each finished piece to standard error and, in a terminal, draw the bar of the work under way.

    Args:
        quiet: Do neither: what there is to say is said after the block.
    """
    if quiet:
        yield
        return
    # Rich would take some environment variables' word for it that there is a terminal.
    console = Console(stderr=True, force_terminal=sys.stderr.isatty())
    lines = _Lines(console)
    for logger in _LOGGERS:
        logger.addHandler(lines)
        logger.setLevel(logging.INFO)
    try:
        with _drawn(console):
            yield
    finally:
        for logger in _LOGGERS:
            logger.removeHandler(lines)


@contextmanager
def _drawn(console: Console) -> Iterator[None]:
    if not console.is_terminal or console.is_dumb_terminal:
        yield
        return
    view = LiveView()
    live = Live(view, console=console, transient=True, refresh_per_second=_REFRESHES_PER_SECOND)
    with live, listening(view.bar), reading(view.read):
        yield


def say(text: str) -> None:
    """Print a line to standard error, where it cannot be mistaken for a command's output."""
    click.echo(text, err=True)

"""What a person sees while a pipeline runs: one line per finished piece, a bar for what takes longer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tasks.progress import Advance, listening

_LOGGERS = tuple(logging.getLogger(room) for room in ("data_contracts", "pipelines", "tasks"))


class _Lines(logging.Handler):
    """Prints Headrace's own records, above whatever bar is being drawn."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watching() -> Iterator[None]:
    """Print each finished piece to standard error and, in a terminal, draw the bar of the piece under way."""
    console = Console(stderr=True)
    lines = _Lines(console)
    for logger in _LOGGERS:
        logger.addHandler(lines)
        logger.setLevel(logging.INFO)
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
            starting = bars.add_task("starting", total=None, unit="")

            @contextmanager
            def bar(label: str, total: int, unit: str) -> Iterator[Advance]:
                bars.update(starting, visible=False)
                task = bars.add_task(label, total=total, unit=unit)

                def advance(amount: int = 1) -> None:
                    bars.advance(task, amount)

                try:
                    yield advance
                finally:
                    bars.remove_task(task)

            with listening(bar):
                yield
    finally:
        for logger in _LOGGERS:
            logger.removeHandler(lines)


def say(text: str) -> None:
    """Print a line to standard error, where it cannot be mistaken for a command's output."""
    click.echo(text, err=True)

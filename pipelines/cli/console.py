"""What a person sees while a pipeline runs: one line per finished piece, a bar for what takes longer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tasks.progress import Advance, in_words, listening, reading

_LOGGERS = tuple(logging.getLogger(room) for room in ("data_contracts", "pipelines", "tasks"))


class _Lines(logging.Handler):
    """Prints Headrace's own records, above whatever bar is being drawn."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)


class _Bars:
    """Draws a bar for each piece of work under way, with what it has last measured of itself."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._starting = bars.add_task("starting", total=None, unit="", said="")
        self._under_way: list[TaskID] = []

    @contextmanager
    def bar(self, label: str, total: int, unit: str) -> Iterator[Advance]:
        """Draw one for the time of a `with` block."""
        self._bars.update(self._starting, visible=False)
        task = self._bars.add_task(label, total=total, unit=unit, said="")
        self._under_way.append(task)

        def advance(amount: int = 1) -> None:
            self._bars.advance(task, amount)

        try:
            yield advance
        finally:
            self._under_way.remove(task)
            self._bars.remove_task(task)

    def read(self, label: str, values: Mapping[str, float]) -> None:
        """Show what a round of training has measured."""
        if label == "round" and self._under_way:
            self._bars.update(self._under_way[-1], said=in_words(values))


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
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    # A bar drawn ten times a second, as is usual, would cost a training step several milliseconds.
    progress = Progress(
        *columns, console=console, transient=True, refresh_per_second=2, disable=not console.is_terminal
    )
    try:
        with progress:
            bars = _Bars(progress)
            with listening(bars.bar), reading(bars.read):
                yield
    finally:
        for logger in _LOGGERS:
            logger.removeHandler(lines)


def say(text: str) -> None:
    """Print a line to standard error, where it cannot be mistaken for a command's output."""
    click.echo(text, err=True)

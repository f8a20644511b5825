"""One bar for whatever is under way: which piece, how far, how fast, how long still."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.text import Text

from pipelines.pace import how_far
from tasks.progress import Advance, in_words

_BAR = 20
# As wide as in the line of a finished piece (`pipelines.pieces`).
_NAME = 10


@dataclass
class _Work:
    label: str
    total: int
    unit: str
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    said: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, amount: int = 1) -> None:
        """Count; nothing is drawn here, so that a training step never waits for a terminal."""
        with self.lock:
            self.done += amount


class LiveView:
    """What is drawn, from what was last heard; it is asked for its picture as often as the screen is refreshed."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._under_way: list[_Work] = []
        self._between = "starting"

    @contextmanager
    def bar(self, label: str, total: int, unit: str) -> Iterator[Advance]:
        """Take up a piece of work for the time of a `with` block (`tasks.progress.Listener`)."""
        work, self._between = _Work(label, total, unit), "working"
        self._under_way.append(work)
        try:
            yield work.advance
        finally:
            self._under_way.remove(work)

    def read(self, label: str, values: Mapping[str, float]) -> None:
        """Take what a round of training has measured (`tasks.progress.Reader`)."""
        if label == "round" and self._under_way:
            self._under_way[-1].said = in_words(values)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the innermost work under the name of the piece that it belongs to, in one line."""
        under_way, now = tuple(self._under_way), time.monotonic()
        if not under_way:
            yield _line(self._between, f"{now - self._began:.0f} s", options.max_width)
            return
        piece, work = under_way[0].label, under_way[-1]
        seconds = max(now - work.began, 1e-9)
        if work.total <= 1:
            yield _line(piece, f"{seconds:.0f} s", options.max_width)
            return
        said = " · ".join(filter(None, (how_far(work.done, work.total, work.unit, seconds), work.said)))
        bar = ProgressBar(total=work.total, completed=work.done, width=_BAR)
        picture = Text.assemble(*((part.text, part.style or "") for part in console.render(bar, options)))
        # Without colours Rich leaves out what is still to come.
        picture.pad_right(_BAR - picture.cell_len)
        yield _line(piece, Text.assemble(picture, " ", said), options.max_width)


def _line(name: str, said: str | Text, width: int) -> Text:
    line = Text.assemble(f"{name:<{_NAME}} ", said)
    line.truncate(width, overflow="ellipsis")
    return line

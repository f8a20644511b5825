"""Live progress in the Prefect UI: a task's long work shows as progress artifacts, and its rounds in the run's log."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from uuid import UUID

from prefect import get_run_logger

from pipelines.pace import how_far
from pipelines.server_away import create_progress_artifact, update_progress_artifact
from tasks.progress import Advance, Listener, current, current_reader, in_words, listening, reading

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# What is over before anybody would look is not shown.
AFTER_SECONDS = 3.0
# A call of Prefect's API costs some 10 ms; a person looks every few seconds.
EVERY_SECONDS = 2.0


def shown_live(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Wrap a task function so that its progress is shown, beside whoever listens already."""

    @functools.wraps(function)
    def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        outside, rounds = current_reader(), _Rounds()

        def read(label: str, values: Mapping[str, float]) -> None:
            outside(label, values)
            if label == "round":
                rounds.take(in_words(values))

        with listening(_also(current(), rounds)), reading(read):
            try:
                return function(*arguments, **named)
            finally:
                rounds.log()

    return run


@dataclass
class _Rounds:
    """What training has last said of itself; some of it goes to the run's log, the last round always."""

    said: str | None = None
    logged: str | None = None
    at: float = 0.0

    def take(self, said: str) -> None:
        self.said = said
        if time.monotonic() - self.at >= EVERY_SECONDS:
            self.log()

    def log(self) -> None:
        if self.said != self.logged:
            get_run_logger().info("%s", self.said)
            self.logged, self.at = self.said, time.monotonic()


class _Shown:
    """One piece of work; an artifact once it has lasted."""

    def __init__(self, label: str, total: int, unit: str, rounds: _Rounds) -> None:
        self._label = label
        self._total = max(total, 1)
        self._unit = unit
        self._rounds = rounds
        self._done = 0
        self._began = time.monotonic()
        self._tell_at = self._began + AFTER_SECONDS
        self._artifact: UUID | None = None

    def advance(self, amount: int) -> None:
        self._done += amount
        if time.monotonic() >= self._tell_at:
            self._tell()

    def end(self) -> None:
        """Show that it is over, also where it needed less than was announced, as a training that stops early."""
        if self._artifact is not None:
            said = how_far(self._done, self._total, self._unit, time.monotonic() - self._began, ended=True)
            update_progress_artifact(self._artifact, 100.0, description=self._text(said))

    def _tell(self) -> None:
        now = time.monotonic()
        self._tell_at = now + EVERY_SECONDS
        share = round(min(100.0, 100.0 * self._done / self._total), 1)
        said = how_far(self._done, self._total, self._unit, now - self._began)
        text = self._text(said)
        if self._artifact is not None:
            update_progress_artifact(self._artifact, share, description=text)
            return
        if self._done >= self._total:
            return
        key = re.sub(r"[^a-z0-9]+", "-", self._label.lower()).strip("-")
        made = create_progress_artifact(share, key=key, description=text)
        # A coroutine inside an event loop, where no task function runs.
        assert made is None or isinstance(made, UUID)
        self._artifact = made

    def _text(self, said: str) -> str:
        return " · ".join(each for each in (f"{self._label}: {said}", self._rounds.said) if each)


def _also(outside: Listener, rounds: _Rounds) -> Listener:
    @contextmanager
    def both(label: str, total: int, unit: str) -> Iterator[Advance]:
        shown = _Shown(label, total, unit, rounds)
        with outside(label, total, unit) as advance_outside:

            def advance(amount: int = 1) -> None:
                advance_outside(amount)
                shown.advance(amount)

            yield advance
        shown.end()

    return both

"""Live progress in the Prefect UI: a task's long work shows as progress artifacts while it runs."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from tasks.progress import Advance, Listener, current, current_reader, in_words, listening, reading

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# A call of Prefect's API costs some 10 ms; a person looks every few seconds.
EVERY_SECONDS = 2.0


def shown_live(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Wrap a task function so that its progress is shown, beside whoever listens already."""

    @functools.wraps(function)
    def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        outside, said = current_reader(), _Said()

        def read(label: str, values: Mapping[str, float]) -> None:
            outside(label, values)
            if label == "round":
                said.text = in_words(values)

        with listening(_also(current(), said)), reading(read):
            return function(*arguments, **named)

    return run


@dataclass
class _Said:
    """What the work has last said of itself."""

    text: str | None = None


class _Artifact:
    """One progress artifact; once the server does not answer, the work goes on unshown."""

    def __init__(self, label: str, total: int, unit: str, said: _Said) -> None:
        key = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
        self._said = said
        self._total = max(total, 1)
        self._done = 0
        artifact = create_progress_artifact(0.0, key=key, description=f"{label}: {total:,} {unit}")
        assert isinstance(artifact, UUID)  # a coroutine inside an event loop, where no task function runs
        self._id = artifact
        self._told = time.monotonic()
        self._shown = True

    def advance(self, amount: int) -> None:
        self._done += amount
        if time.monotonic() - self._told >= EVERY_SECONDS:
            self.tell()

    def tell(self) -> None:
        self._told = time.monotonic()
        if not self._shown:
            return
        try:
            share = round(min(100.0, 100.0 * self._done / self._total), 1)
            update_progress_artifact(self._id, share, description=self._said.text)
        except httpx.HTTPError:
            # Training may outlast the server that shows it; the task's own end reports a server that stays away.
            self._shown = False


def _also(outside: Listener, said: _Said) -> Listener:
    @contextmanager
    def both(label: str, total: int, unit: str) -> Iterator[Advance]:
        artifact = _Artifact(label, total, unit, said)
        with outside(label, total, unit) as advance_outside:

            def advance(amount: int = 1) -> None:
                advance_outside(amount)
                artifact.advance(amount)

            yield advance
        artifact.tell()

    return both

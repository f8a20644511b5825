"""Progress of long work, reported to whoever listens (the command line, the Prefect UI); to nobody by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol


class Advance(Protocol):
    """Says that `amount` more of the announced total is done."""

    def __call__(self, amount: int = 1) -> None:
        """Say it."""


class Listener(Protocol):
    """Opens one progress bar; `total` counts `unit`s."""

    def __call__(self, label: str, total: int, unit: str) -> AbstractContextManager[Advance]:
        """Open it for the time of a `with` block."""


def _nobody(amount: int = 1) -> None:
    pass


def _silent(label: str, total: int, unit: str) -> AbstractContextManager[Advance]:  # noqa: ARG001
    return nullcontext(_nobody)


_listener: ContextVar[Listener] = ContextVar("headrace_progress", default=_silent)


def progress(label: str, total: int, unit: str) -> AbstractContextManager[Advance]:
    """Announce work of a known length; the context's value is called as it advances."""
    return _listener.get()(label, total, unit)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send the progress of everything inside the block to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)

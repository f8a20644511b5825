"""Progress of long work, reported to whoever listens (the command line, the Prefect UI); to nobody by default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


class Reader(Protocol):
    """Reads what long work measures of itself on the way."""

    def __call__(self, label: str, values: Mapping[str, float]) -> None:
        """Read it.

        Args:
            label: Of the work, as in `progress`; or `round`, after each look at the validation split, with the record
                that the checkpoint's history has of it.
            values: By name, such as `round`, `train_loss` and `learning_rate`.
        """


def _nobody(amount: int = 1) -> None:
    pass


def _silent(label: str, total: int, unit: str) -> AbstractContextManager[Advance]:  # noqa: ARG001
    return nullcontext(_nobody)


def _unread(label: str, values: Mapping[str, float]) -> None:
    pass


_reader: ContextVar[Reader] = ContextVar("headrace_readings", default=_unread)
_listener: ContextVar[Listener] = ContextVar("headrace_progress", default=_silent)


def progress(label: str, total: int, unit: str) -> AbstractContextManager[Advance]:
    """Announce work of a known length; the context's value is called as it advances."""
    return _listener.get()(label, total, unit)


def current() -> Listener:
    """Return who listens now, for a listener that passes on what it hears."""
    return _listener.get()


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send the progress of everything inside the block to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def measured(label: str, values: Mapping[str, float]) -> None:
    """Tell what long work has measured of itself so far."""
    _reader.get()(label, values)


def current_reader() -> Reader:
    """Return who reads now, for a reader that passes on what it is told."""
    return _reader.get()


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    """Send what work inside the block measures of itself to `reader`."""
    token = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(token)


def in_words(values: Mapping[str, float]) -> str:
    """Return what a round has measured as one short line."""
    shown = {name: value for name, value in values.items() if name not in {"round", "steps", "learning_rate"}}
    return f"round {values['round']:.0f}: " + ", ".join(f"{name} {value:.4g}" for name, value in shown.items())

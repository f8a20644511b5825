"""Ctrl-C while the program is still being imported: it ends at once, without a word."""

from __future__ import annotations

import os
import signal
from types import FrameType

# Of a shell: 128 and the signal's number.
_STOPPED = 130


def be_quiet() -> None:
    """Let Ctrl-C end the process at once and without a word, until `be_usual`; a process that ignores it still does."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def be_usual() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, for somebody is there now who waits for it."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    os._exit(_STOPPED)

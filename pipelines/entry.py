"""Where `headrace` begins: Ctrl-C is quiet from the first line on, also while the command line is being imported."""

from __future__ import annotations

import os
import signal
from types import FrameType

# Of a shell: 128 and the signal's number.
_STOPPED = 130


def main() -> None:
    """Be the program `headrace`."""
    be_quiet()
    # Takes a tenth of a second, in which nothing is begun that would have to be ended.
    from pipelines.cli import main as command_line  # noqa: PLC0415

    command_line()


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

"""Processes that were started for a piece of work: how one ended, and how it never outlives who started it."""

from __future__ import annotations

import os
import signal
import threading

_STANDARD_INPUT = 0


def end_with_input() -> None:
    """Kill this process once its standard input ends, as it does when who started it is gone, however it went.

    Call it before the imports, which take seconds, and read nothing from standard input afterwards.
    """
    threading.Thread(target=_end_with_input, daemon=True).start()


def _end_with_input() -> None:
    # Reads past Python's buffer, whose lock would be held when the interpreter ends.
    while os.read(_STANDARD_INPUT, 1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def how_it_ended(status: int) -> str:
    """Return in words how a process ended that should have gone on.

    Args:
        status: Its exit status, as `subprocess` has it: below zero where a signal killed it.
    """
    if status >= 0:
        return f"ended with exit status {status}"
    hint = "; the system kills so where memory is short" if status == -signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-status).name}{hint}"

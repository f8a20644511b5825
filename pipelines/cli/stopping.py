"""How a command that takes long is stopped: Ctrl-C and SIGTERM end it with one sentence, its children with it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from pipelines.cli.console import say
from pipelines.cli.outcome import leave

# Of a shell: 128 and the signal's number.
_EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class _Stopped(BaseException):
    """SIGTERM has come; no `Exception`, so that nothing but clean-up hears of it on the way."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Let the block clean up at a signal, say how to go on, and end the process with 130 or 143."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise _Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        _end(signal.SIGINT)
    except _Stopped:
        _end(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(by: signal.Signals) -> NoReturn:
    say("stopped; run the same command again to go on from the last finished piece")
    # The interpreter would wait for threads that still work for the run.
    leave(_EXIT_CODES[by])

"""A small process that keeps one program of the group: `python -m pipelines.up.keeper --log FILE -- COMMAND...`.

It stands between the supervisor and a program that is not ours, for what that program does not do itself. It writes the
program's output to a log file. It ends the program when it is told to, and also when its standard input closes, which
happens when the supervisor is gone, however that went. And when the program has ended, it kills all that the program
left behind. It is one process of a few megabytes, since it imports next to nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Literal

from pipelines.up.descent import adopt_orphans, children, kill_below

_LOG_BYTES = 5_000_000
_OLD_LOGS = 3
_LAST_OUTPUT_SECONDS = 2.0
_STANDARD_OUTPUT = 1
_POLL_SECONDS = 0.02

_Event = Literal["stop"] | int


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep a program until it ends or is to end; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.up.keeper")
    parser.add_argument("--log", type=Path, required=True, help="takes what the program prints")
    parser.add_argument("--grace", type=float, required=True, help="seconds to end in, before it is killed")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    adopt_orphans()
    return _keep(given.command, given.log, given.grace)


def _keep(command: Sequence[str], log: Path, grace: float) -> int:
    events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: events.put("stop"))
    # The terminal's own interrupt is the supervisor's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    program = subprocess.Popen(  # noqa: S603 - a program of the group
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert program.stdout is not None
    for wait in (_wait_for_parent, lambda told: _reap(program.pid, told)):
        threading.Thread(target=wait, args=(events,), daemon=True).start()
    carrying = threading.Thread(target=_carry, args=(program.stdout, log), daemon=True)
    carrying.start()
    event = events.get()
    if event == "stop":
        with contextlib.suppress(ProcessLookupError):
            os.kill(program.pid, signal.SIGTERM)
        event = _ended(events, grace)
    # Whoever dies of that leaves orphans too, which come here a moment later; the dead go as they are reaped.
    while left := children():
        kill_below(left)
        time.sleep(_POLL_SECONDS)
    code = _ended(events, grace) if event == "stop" else event
    carrying.join(_LAST_OUTPUT_SECONDS)
    return -signal.SIGKILL if code == "stop" else code


def _wait_for_parent(events: queue.SimpleQueue[_Event]) -> None:
    sys.stdin.buffer.read()
    events.put("stop")


def _reap(program: int, events: queue.SimpleQueue[_Event]) -> None:
    """Tell the program's exit code when it ends, and let the orphans that this process adopts end whole."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == program:
                events.put(os.waitstatus_to_exitcode(status))


def _ended(events: queue.SimpleQueue[_Event], seconds: float) -> _Event:
    """Return the program's exit code, or "stop" if it is not there in time."""
    try:
        while (event := events.get(timeout=seconds)) == "stop":
            pass
    except queue.Empty:
        return "stop"
    return event


def _carry(source: IO[bytes], log: Path) -> None:
    """Copy lines to the log file and, as long as somebody reads it, to standard output."""
    logging.raiseExceptions = False  # A full disk must not end what still runs.
    log.parent.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(log, maxBytes=_LOG_BYTES, backupCount=_OLD_LOGS, encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    read = True
    for line in source:
        text = line.decode(errors="replace").rstrip()
        file.emit(logging.LogRecord("", logging.INFO, "", 0, text, None, None))
        if read:
            try:
                os.write(_STANDARD_OUTPUT, line if line.endswith(b"\n") else line + b"\n")
            except OSError:
                read = False


if __name__ == "__main__":
    code = main()
    # Threads that wait for what does not come anymore are not waited for; a signal is passed on as shells do.
    os._exit(code if code >= 0 else 128 - code)

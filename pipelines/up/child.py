"""One program of a group as the supervisor sees it: started, ready, ended, to be started again."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from pipelines.up.descent import kill_below
from pipelines.up.program import Patience, Program

_TAIL_LINES = 20
_READ_BYTES = 65_536
_ASK_SECONDS = 2.0
_OK = 200


class Child:
    """A program of the group and what has become of it so far.

    Attributes:
        program: What it is.
        ready: Whether the program that runs now is ready; a program that is done stays so.
        was_ready: Whether it ever was.
        said: What its `ready_line` kept.
        tail: Its last lines.
        restart_at: When it is started again, by the monotonic clock; None while it runs, or is done.
        deaths: How often in a row it has ended before it was ready.
    """

    def __init__(self, program: Program, patience: Patience) -> None:
        """Take a program; `start` starts it."""
        self.program = program
        self.ready = self.was_ready = False
        self.said = ""
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self.restart_at: float | None = 0.0
        self.deaths = 0
        self._patience = patience
        self._pause: float | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._rest = b""
        # Open as long as the group lives; whoever holds an end of it keeps the program alive.
        self._life, self.lifeline = os.pipe()

    @property
    def running(self) -> bool:
        """Whether its keeper runs."""
        return self._keeper is not None

    @property
    def pid(self) -> int:
        """The keeper's process id, also its session's."""
        assert self._keeper is not None
        return self._keeper.pid

    @property
    def output(self) -> int:
        """The descriptor that its lines are read from."""
        assert self._keeper is not None
        assert self._keeper.stdout is not None
        return self._keeper.stdout.fileno()

    def start(self, inherited: Sequence[int]) -> None:
        """Start it.

        Args:
            inherited: Descriptors that its keeper is to hold: the group's lock, lifelines of programs it needs.
        """
        command = [sys.executable, "-m", "pipelines.up.keeper"]
        command += ["--log", str(self.program.log), "--grace", str(self.program.grace_seconds), "--"]
        self._keeper = subprocess.Popen(  # noqa: S603 - ours
            [*command, *self.program.command],
            stdin=self._life,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(self.program.environment),
            pass_fds=inherited,
            start_new_session=True,
        )
        os.set_blocking(self.output, False)
        self._started, self.restart_at, self._rest = time.monotonic(), None, b""

    def lines(self) -> list[str] | None:
        """Return the lines that have come since, or None at the end of its output, when it has ended."""
        try:
            read = os.read(self.output, _READ_BYTES)
        except BlockingIOError:
            return []
        *whole, self._rest = (self._rest + read).split(b"\n")
        found = [line.decode(errors="replace").rstrip() for line in whole]
        self.tail.extend(line for line in found if line)
        for line in found:
            self._notice(line)
        return found if read else None

    def ask(self) -> None:
        """See whether it is ready, where a URL tells."""
        if not self.ready and self.running and self.program.ready_url is not None and _answers(self.program.ready_url):
            self._become_ready()

    def ended(self) -> int:
        """Take note of its end, and settle when it starts again; returns its exit code.

        What a killed keeper left behind is ended first.
        """
        assert self._keeper is not None
        code = self._keeper.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._keeper.pid, signal.SIGKILL)
        assert self._keeper.stdout is not None
        self._keeper.stdout.close()
        self._keeper = None
        if self.program.once and code == 0:
            self._become_ready()
            return code
        self.deaths = 0 if self.ready else self.deaths + 1
        self.ready = False
        lived = time.monotonic() - self._started
        self._pause = self._patience.pause_after(self._pause, lived)
        self.restart_at = time.monotonic() + self._pause
        return code

    def stop(self) -> None:
        """Ask it to end; it is not started again."""
        self.restart_at = None
        if self._keeper is not None:
            with contextlib.suppress(ProcessLookupError):
                self._keeper.terminate()

    def kill(self) -> None:
        """End it and all below it at once."""
        self.restart_at = None
        if self._keeper is not None:
            kill_below([self._keeper.pid])

    @property
    def pause(self) -> float:
        """Seconds from its last end to its next start."""
        return self._pause or 0.0

    def _notice(self, line: str) -> None:
        pattern = self.program.ready_line
        found = pattern.match(line) if pattern is not None else None
        if found is not None:
            self.said = found[1] if found.re.groups else line
            if not self.program.once:
                self._become_ready()

    def _become_ready(self) -> None:
        self.ready = self.was_ready = True
        self.deaths = 0


def _answers(url: str) -> bool:
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=_ASK_SECONDS)
    try:
        connection.request("GET", at.path)
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

"""Starts programs as one group, starts again what ends, and stops them all together."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from pipelines.up.child import Child
from pipelines.up.descent import adopt_orphans, children, kill_below
from pipelines.up.program import Patience, Program

_ASK_EVERY_SECONDS = 0.3
# A keeper has its program's grace, and then this, to be done.
_KEEPER_SECONDS = 3.0
_SHOWN_AT_FAILURE = 12
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Supervisor:
    """A group of programs, from its start to its end.

    Everything happens in one thread: it waits for lines, ends and signals, and for the time of the next start.
    """

    def __init__(
        self, programs: Sequence[Program], say: Callable[[str], None], patience: Patience | None = None
    ) -> None:
        """Take the programs; each comes after those that it needs.

        Args:
            programs: What to run.
            say: Takes each line for the user.
            patience: How what ends is started again.
        """
        patience = patience or Patience()
        self._children = {program.name: Child(program, patience) for program in programs}
        self._width = max(len(program.name) for program in programs)
        self._say = say
        self._patience = patience
        self._selector = selectors.DefaultSelector()
        self._signals = 0
        self._code: int | None = None

    def run(self, on_ready: Callable[[Mapping[str, str]], None], inherited: Sequence[int] = ()) -> int:
        """Run the group until it is told to stop, or cannot go on.

        Args:
            on_ready: Called once, when all are ready for the first time, with what each said about it.
            inherited: Descriptors that stay open until the last of the group has ended.

        Returns:
            0 after a signal to stop; else the exit code of a program that does one thing and failed, or 1.
        """
        adopt_orphans()
        told = False
        with self._hearing_signals():
            while self._code is None:
                self._start_due(inherited)
                for child in self._children.values():
                    child.ask()
                if not told and all(child.ready for child in self._children.values()):
                    told = True
                    on_ready({name: child.said for name, child in self._children.items()})
                self._wait(self._until_next())
            self._stop()
        return self._code

    @contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        hearing, telling = socket.socketpair()
        for each in (hearing, telling):
            each.settimeout(0)
        self._selector.register(hearing, selectors.EVENT_READ, None)
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        woken = signal.set_wakeup_fd(telling.fileno())
        try:
            yield
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            hearing.close()
            telling.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._code is None:
            self._code = 0

    def _start_due(self, inherited: Sequence[int]) -> None:
        for child in self._children.values():
            due = child.restart_at is not None and time.monotonic() >= child.restart_at
            needed = [self._children[name] for name in child.program.after]
            if due and all(each.was_ready for each in needed):
                # Its keeper holds the lifelines of those that it needs, so that they outlive it.
                child.start([*inherited, *(each.lifeline for each in needed)])
                self._selector.register(child.output, selectors.EVENT_READ, child)

    def _until_next(self) -> float | None:
        """Return the seconds until something is due without anybody telling; None for never."""
        now = time.monotonic()
        times = [
            child.restart_at - now
            for child in self._children.values()
            if child.restart_at is not None and all(self._children[name].was_ready for name in child.program.after)
        ]
        if any(child.running and not child.ready and child.program.ready_url for child in self._children.values()):
            times.append(_ASK_EVERY_SECONDS)
        return max(0.0, min(times)) if times else None

    def _wait(self, seconds: float | None) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.recv(4096)
                continue
            self._hear(key.data)

    def _hear(self, child: Child) -> None:
        was_ready = child.ready
        output = child.output
        lines = child.lines()
        if lines is None:
            self._selector.unregister(output)
            code = child.ended()
            self._end_strays()
            if self._code is None and not (child.program.once and code == 0):
                self._on_death(child, code)
        elif was_ready:
            for line in filter(child.program.shown.match, lines):
                self._say(self._prefixed(child, line))

    def _on_death(self, child: Child, code: int) -> None:
        name = child.program.name
        how = f"ended by signal {abs(code) % 128}" if code > 128 or code < 0 else f"ended with code {code}"
        if child.program.once or child.deaths >= self._patience.deaths:
            for line in list(child.tail)[-_SHOWN_AT_FAILURE:]:
                self._say(self._prefixed(child, line))
            times = "" if child.program.once else f" {child.deaths} times in a row before it was ready, the last time"
            self._say(f"{name}{times} {how}; its log is {child.program.log}")
            self._code = code if child.program.once and code in {2, 3, 4} else 1
        else:
            self._say(f"{name} {how}; starting it again in {child.pause:g} s")

    def _prefixed(self, child: Child, line: str) -> str:
        return f"{child.program.name:<{self._width}} | {line}"

    def _end_strays(self) -> None:
        """End what a killed keeper left: on Linux its orphans are this process's children now.

        Whoever dies of that leaves orphans too, which come here a moment later.
        """
        keepers = {child.pid for child in self._children.values() if child.running}
        while strays := [pid for pid in children() if pid not in keepers]:
            kill_below(strays)
            for pid in strays:
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _stop(self) -> None:
        """Stop the programs, those that others need after those others; a second signal kills all at once."""
        left = dict(self._children)
        while left and self._signals <= 1:
            needed = {name for child in left.values() for name in child.program.after}
            now = [left.pop(name) for name in list(left) if name not in needed]
            for child in now:
                child.stop()
            self._drain(now, max(child.program.grace_seconds for child in now) + _KEEPER_SECONDS)
        for child in self._children.values():
            child.kill()
        self._signals = 0
        self._drain(list(self._children.values()), _KEEPER_SECONDS)
        self._end_strays()

    def _drain(self, stopping: Sequence[Child], seconds: float) -> None:
        """Wait until children have ended, the time is over, or a second signal has come."""
        deadline = time.monotonic() + seconds
        while any(child.running for child in stopping) and self._signals <= 1 and time.monotonic() < deadline:
            self._wait(max(0.0, deadline - time.monotonic()))

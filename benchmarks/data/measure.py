"""Run a command and measure its whole process tree: wall time, CPU time and peak memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

_EVERY_SECONDS = 0.05


class FailedError(ValueError):
    """A measured command did not end well."""


@dataclass(frozen=True)
class Measured:
    """Seconds of wall and of CPU time, and the greatest resident memory in bytes, shared pages once a process."""

    wall: float
    cpu: float
    memory: int


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end.

    Raises:
        FailedError: It ended with an error; the message has the end of what it said.
    """
    with tempfile.TemporaryFile("w+") as said:
        before = os.times()
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        ended = threading.Event()
        peaks: list[int] = []
        watcher = threading.Thread(target=_watch, args=(psutil.Process(process.pid), ended, peaks))
        watcher.start()
        code = process.wait()
        wall = time.perf_counter() - started
        ended.set()
        watcher.join()
        after = os.times()
        if code:
            said.seek(0)
            raise FailedError(f"{' '.join(command)} ended with {code}:\n{said.read()[-4000:]}")
    cpu = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return Measured(wall, cpu, max(peaks, default=0))


def _watch(root: psutil.Process, ended: threading.Event, peaks: list[int]) -> None:
    while not ended.wait(_EVERY_SECONDS):
        total = 0
        try:
            tree = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in tree:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peaks.append(total)

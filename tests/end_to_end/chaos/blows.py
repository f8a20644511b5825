"""The blows themselves."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.end_to_end.chaos.drawing import Blow, Kind
from tests.end_to_end.chaos.server import Server

_LOOK_SECONDS = 0.05
_HOME_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class Scene:
    """What there is to hurt.

    Attributes:
        process: The run's own; it leads a group of its own.
        small_disk: Whether the home is a small file system of its own.
    """

    blow: Blow
    process: subprocess.Popen[bytes]
    server: Server
    home: Path
    small_disk: bool

    def over(self) -> bool:
        """Say whether the run has ended."""
        return self.process.poll() is not None


def _kill_group(scene: Scene) -> None:
    os.killpg(scene.process.pid, signal.SIGKILL)


def _kill_alone(scene: Scene) -> None:
    scene.process.kill()


def _kill_one(scene: Scene, is_it: Callable[[str], bool]) -> None:
    """Kill the first process of the run that is of a kind; if none is there yet, the next one to come."""
    while not scene.over():
        try:
            children = psutil.Process(scene.process.pid).children(recursive=True)
            found = [child for child in children if is_it(" ".join(child.cmdline()))]
        except psutil.Error:
            found = []
        if found:
            found[scene.blow.seed % len(found)].kill()
            return
        time.sleep(_LOOK_SECONDS)


def _kill_worker(scene: Scene) -> None:
    _kill_one(scene, lambda command: "spawn_main" in command)


def _kill_rank(scene: Scene) -> None:
    _kill_one(scene, lambda command: "tasks.training.rank" in command)


def _kill_server(scene: Scene) -> None:
    scene.server.end(signal.SIGKILL)
    time.sleep(scene.blow.seconds)
    scene.server.start()


def _lock_database(scene: Scene) -> None:
    with scene.server.locked_out():
        time.sleep(scene.blow.seconds)


def _fill_disk(scene: Scene) -> None:
    """Leave no byte until the run has ended; without a small file system the run may only write files of no length."""
    if not scene.small_disk:
        if sys.platform == "linux" and not scene.over():
            resource.prlimit(scene.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        scene.process.wait()
        return
    ballast = scene.home / "ballast"
    with ballast.open("ab", buffering=0) as file:
        while not scene.over():
            try:
                file.write(bytes(4096))
            except OSError:
                time.sleep(_LOOK_SECONDS)
    ballast.unlink()


_STRIKES: dict[Kind, Callable[[Scene], None]] = {
    "group": _kill_group,
    "alone": _kill_alone,
    "worker": _kill_worker,
    "rank": _kill_rank,
    "server": _kill_server,
    "database": _lock_database,
    "disk": _fill_disk,
}


def strike(scene: Scene) -> None:
    """Deal the blow; a server or a disk is well again afterwards."""
    _STRIKES[scene.blow.kind](scene)


@contextmanager
def small_disk(home: Path) -> Iterator[bool]:
    """Make a home a file system of its own that is soon full, and yield whether that could be had: it takes root."""
    home.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_HOME_BYTES}", "tmpfs", str(home)]
    try:
        had = sys.platform == "linux" and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        had = False
    try:
        yield had
    finally:
        if had:
            subprocess.run(["umount", "--lazy", str(home)], capture_output=True, check=False)

"""A training process killed at random moments ends, after reruns, with the same weights as one left alone."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.tasks.training.fixtures import Problem
from tests.tasks.training.kill_child import train

# The server imports torch and Lightning once, and forks a fresh process for each run.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.tasks.training.kill_child"])


def _start(problem: Problem, folder: Path) -> tuple[ForkServerProcess, Connection]:
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=train, args=(problem, folder, theirs))
    child.start()
    theirs.close()
    return child, ours


def _rounds(folder: Path) -> int:
    return max((int(path.stem[-6:]) for path in folder.glob("work/*/round-*.ckpt")), default=0)


def test_killed_and_rerun_gives_the_same_digest(problem: Problem, tmp_path: Path) -> None:
    undisturbed = _start(problem, tmp_path / "undisturbed")[1].recv()
    folder = tmp_path / "killed"
    killed_at: list[int] = []
    for part in (1, 2, 3):
        child, _ = _start(problem, folder)
        while _rounds(folder) < 15 * part and child.is_alive():
            time.sleep(0.002)
        time.sleep(random.Random(part).uniform(0.0, 0.05))
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL, "the run must be killed before it ends"
        killed_at.append(_rounds(folder))
    assert killed_at == sorted(killed_at)
    assert _start(problem, folder)[1].recv() == undisturbed

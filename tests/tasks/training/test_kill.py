"""A training process killed at random moments ends, after reruns, with the same weights as one left alone."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests.tasks.training.fixtures import LONG, Problem
from tests.tasks.training.kill_child import train

# The server imports torch and Lightning once, and forks a fresh process for each run.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.tasks.training.kill_child"])

STEPS = LONG.rounds * LONG.steps_per_round


def _start(problem: Problem, folder: Path) -> tuple[ForkServerProcess, Connection]:
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=train, args=(problem, folder, theirs))
    child.start()
    theirs.close()
    return child, ours


def _steps(folder: Path) -> int:
    """Return after how many steps the newest checkpoint was written."""
    made = [0]
    for path in folder.glob("work/*/round-*.ckpt"):
        name, _, step = path.stem.partition(".step-")
        made.append(int(step) if step else int(name[-6:]) * LONG.steps_per_round)
    return max(made)


def _kill_after(problem: Problem, folder: Path, steps: int, delay: float) -> int:
    """Start or go on, kill the process soon after so many steps, and say how many are kept."""
    child, _ = _start(problem, folder)
    while _steps(folder) < steps and child.is_alive():
        time.sleep(0.002)
    time.sleep(delay)
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL, "the run must be killed before it ends"
    return _steps(folder)


@pytest.fixture(scope="module")
def undisturbed(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> str:
    digest: str = _start(problem, tmp_path_factory.mktemp("undisturbed"))[1].recv()
    return digest


def test_killed_again_and_again_and_rerun_gives_the_same_digest(
    problem: Problem, tmp_path: Path, undisturbed: str
) -> None:
    chance = random.Random(1)
    kept = [
        _kill_after(problem, tmp_path, STEPS * part // 4 + chance.randrange(STEPS // 4), chance.uniform(0.0, 0.03))
        for part in (0, 1)
    ]
    assert kept == sorted(kept)
    assert _start(problem, tmp_path)[1].recv() == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_any_moment_and_rerun_gives_the_same_digest(
    problem: Problem, tmp_path: Path, undisturbed: str, seed: int
) -> None:
    chance = random.Random(seed)
    _kill_after(problem, tmp_path, chance.randrange(STEPS - 50), chance.uniform(0.0, 0.1))
    assert _start(problem, tmp_path)[1].recv() == undisturbed

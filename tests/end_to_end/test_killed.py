"""A run that is killed with SIGKILL, and run again, ends with the bundle of a run that was never killed."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project

TRAINING = ("--set", "train.rounds=40", "--set", "train.steps_per_round=60", "--set", "train.selection.patience=40")
RUN = ("run", "customers.yaml", "--json", *TRAINING)


def project(folder: Path, prefect_api: str) -> Shell:
    write_project(folder, rows=2000)
    return Shell(folder, {"PREFECT_API_URL": prefect_api})


@pytest.fixture(scope="module")
def unkilled(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> tuple[str, float]:
    """The digest of a run that was left alone, and the seconds it took."""
    shell = project(tmp_path_factory.mktemp("unkilled"), prefect_api)
    began = time.monotonic()
    done = shell.run(*RUN)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["digest"], time.monotonic() - began


def kill_after(shell: Shell, seconds: float) -> bool:
    """Start a run and kill all of its processes after a while; says whether it was still running."""
    process = shell.start(*RUN)
    time.sleep(seconds)
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    return running


def digest_of_rerun(shell: Shell) -> tuple[str, str]:
    done = shell.run(*RUN)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["digest"], done.stderr


def test_a_run_killed_in_training_goes_on_from_its_last_checkpoint(
    tmp_path: Path, prefect_api: str, unkilled: tuple[str, float]
) -> None:
    shell = project(tmp_path, prefect_api)
    process = shell.start(*RUN)
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "home" / "training").rglob("*.ckpt"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert not (tmp_path / "home" / "checkpoints").exists(), "the kill came after training"
    digest, stderr = digest_of_rerun(shell)
    assert "goes on after step" in stderr
    assert "transform  1,9" in stderr
    assert stderr.count("reused") == 6
    assert digest == unkilled[0]


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[] if seed < 1 else [pytest.mark.slow]) for seed in range(10)]
)
def test_a_run_killed_at_a_random_moment_gives_the_same_bundle(
    tmp_path: Path, prefect_api: str, unkilled: tuple[str, float], seed: int
) -> None:
    shell = project(tmp_path, prefect_api)
    digest, seconds = unkilled
    # The first seconds go into imports, before there is anything to lose.
    moment = random.Random(seed).uniform(0.3, 1.0) * seconds
    kill_after(shell, moment)
    assert digest_of_rerun(shell)[0] == digest

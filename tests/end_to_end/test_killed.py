"""A run that is killed with SIGKILL in training goes on there; `tests.end_to_end.chaos` kills anywhere else."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project

TRAINING = ("--set", "train.rounds=40", "--set", "train.steps_per_round=60", "--set", "train.selection.patience=40")
RUN = ("run", "customers.yaml", "--json", *TRAINING)


def project(folder: Path, prefect_api: str) -> Shell:
    write_project(folder, rows=2000)
    return Shell(folder, {"PREFECT_API_URL": prefect_api})


@pytest.fixture(scope="module")
def unkilled(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> str:
    """The digest of a run that was left alone."""
    shell = project(tmp_path_factory.mktemp("unkilled"), prefect_api)
    done = shell.run(*RUN)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout.splitlines()[-1])["digest"])


def digest_of_rerun(shell: Shell) -> tuple[str, str]:
    done = shell.run(*RUN)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["digest"], done.stderr


def test_a_run_killed_in_training_goes_on_from_its_last_checkpoint(
    tmp_path: Path, prefect_api: str, unkilled: str
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
    assert digest == unkilled
    # The second run has said of the first that it is dead.
    folders = sorted(folder.name for folder in (tmp_path / "home" / "runs" / "customers").iterdir())
    assert [_state(prefect_api, folder) for folder in folders] == ["Crashed", "Promoted"]


def _state(prefect_api: str, folder: str) -> str:
    runs = httpx.post(f"{prefect_api}/flow_runs/filter", json={"limit": 200}).json()
    return next(str(run["state_name"]) for run in runs if run["id"].endswith(folder[-8:]))

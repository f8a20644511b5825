"""Ctrl-C and SIGTERM end a run and all that it started, say how to go on, and lose nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.end_to_end.chaos.wholeness import MARK, left_over, torn
from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project

GONE_SECONDS = 15.0
LONG = ("--set", "train.rounds=500", "--set", "train.steps_per_round=200", "--set", "train.selection.patience=500")
CLUSTER = ("--set", "dask.processes=true", "--set", "dask.workers=2")
RANKS = ("--set", "train.machine={threads: 1, devices: 2, accelerator: cpu}")


def _state(prefect_api: str, home: Path) -> str:
    """Return the state of the only run of a home."""
    folders = [folder.name for folder in (home / "runs" / "customers").iterdir()]
    found = httpx.post(f"{prefect_api}/flow_runs/filter", json={"limit": 200}).json()
    states = [run["state_name"] for run in found if any(run["id"].endswith(name[-8:]) for name in folders)]
    assert len(states) == 1, found
    return str(states[0])


def _children(process: psutil.Process, word: str) -> list[psutil.Process]:
    return [child for child in process.children(recursive=True) if word in " ".join(child.cmdline())]


def _wait_for(process: subprocess.Popen[str], condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("settings", "child", "stop", "code"),
    [
        pytest.param(CLUSTER, "spawn_main", signal.SIGINT, 130, id="ctrl-c-dask"),
        pytest.param(RANKS, "tasks.training.rank", signal.SIGTERM, 143, id="sigterm-ranks"),
        pytest.param((), "", signal.SIGINT, 130, id="ctrl-c-training", marks=pytest.mark.slow),
    ],
)
def test_a_stopped_run_ends_with_its_children_and_says_how_to_go_on(
    tmp_path: Path, prefect_api: str, settings: tuple[str, ...], child: str, stop: signal.Signals, code: int
) -> None:
    mark = uuid.uuid4().hex
    shell = Shell(tmp_path, {"PREFECT_API_URL": prefect_api, MARK: mark})
    write_project(tmp_path, rows=2000)
    process = shell.start("run", "customers.yaml", *LONG, *settings)
    running = psutil.Process(process.pid)
    home = tmp_path / "home"
    begun = "training/*/*/*.ckpt" if not child else "datasets/*" if child == "spawn_main" else "training/*"
    _wait_for(process, lambda: list(home.glob(begun)) and len(_children(running, child)) >= bool(child) * 2)
    # As a terminal does, to all of the group.
    os.killpg(process.pid, stop)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert said.count("run the same command again to go on") == 1
    assert "Traceback" not in said
    assert not left_over(mark, GONE_SECONDS)
    assert _state(prefect_api, home) in {"Crashed", "Cancelled"}
    assert torn(home) == []

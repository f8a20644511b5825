"""A search in two processes that is killed with SIGKILL leaves no process, and goes on."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project
from tests.end_to_end.test_search import SEARCH

COMMAND = ("search", "customers.yaml", "--trials", "6", "--parallel", "2", "--set", "train.rounds=60", "--json")


@pytest.mark.slow
def test_a_killed_search_leaves_no_process_and_loses_no_trial(tmp_path: Path, prefect_api: str) -> None:
    shell = Shell(tmp_path, {"PREFECT_API_URL": prefect_api})
    write_project(tmp_path, rows=800)
    config = tmp_path / "customers.yaml"
    config.write_text(config.read_text() + SEARCH)
    first = shell.start(*COMMAND)
    deadline = time.monotonic() + 200
    while not list((tmp_path / "home" / "training").rglob("*.ckpt")):
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    beside = psutil.Process(first.pid).children(recursive=True)
    assert any("pipelines.search.worker" in process.cmdline() for process in beside)
    # The process alone, not its group: what it started must notice by itself.
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=30)
    _, alive = psutil.wait_procs(beside, timeout=20)
    assert not alive
    done = shell.run(*COMMAND)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    states = [each["state"] for each in found["trials"]]
    assert states.count("killed") >= 1
    assert states.count("complete") + states.count("pruned") == 6
    assert "running" not in states

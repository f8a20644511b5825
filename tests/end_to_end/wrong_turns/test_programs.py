"""Wrong turns that take whole programs: Ctrl-C, two runs at once, no memory, thousands of columns."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from tests.end_to_end.chaos.wholeness import MARK, left_over, torn
from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project
from tests.end_to_end.wrong_turns.conftest import write_table

pytestmark = pytest.mark.integration

GONE_SECONDS = 15.0
MANY = 5_000


def _stopped(process: subprocess.Popen[str], seconds: float, home: Path, made: str) -> tuple[int, str]:
    """Press Ctrl-C some time after what a pattern names is in the home; return the exit code and what was said."""
    while made and not any(home.glob(made)):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.parametrize(
    ("seconds", "made", "arguments"),
    [
        pytest.param(2.0, "", ("init", "a.csv", "--target", "kind"), id="init"),
        pytest.param(1.5, "", ("check", "customers.yaml"), id="check"),
        pytest.param(2.5, "", ("run", "customers.yaml"), id="run-begins"),
        pytest.param(2.5, "", ("serve", "--port", "0", "--store", "."), id="serve"),
        pytest.param(0.2, "checkpoints/[!.]*", ("run", "customers.yaml"), id="run-has-trained", marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_ends_with_one_sentence(tmp_path: Path, seconds: float, made: str, arguments: tuple[str, ...]) -> None:
    mark = uuid.uuid4().hex
    shell = Shell(tmp_path, {MARK: mark})
    write_project(tmp_path, rows=2000)
    write_table(tmp_path / "a.csv", rows=100_000)
    code, said = _stopped(shell.start(*arguments), seconds, tmp_path / "home", made)
    # Served until told to stop, the endpoint has done what was asked.
    assert code == (0 if arguments[0] == "serve" and "stopped;" not in said else 130), said
    assert "Traceback" not in said
    assert said.count("stopped;") == (code == 130)
    assert not left_over(mark, GONE_SECONDS)
    assert torn(tmp_path / "home") == []
    assert not (tmp_path / "pipelines").exists()


@pytest.mark.slow
def test_two_first_runs_at_once_both_end_well(tmp_path: Path) -> None:
    write_project(tmp_path, rows=1500)
    shell = Shell(tmp_path)
    runs = [shell.start("run", "customers.yaml", "--quiet") for _ in range(2)]
    for run in runs:
        _, said = run.communicate(timeout=240)
        assert run.returncode == 0, said
    assert torn(tmp_path / "home") == []
    assert len(list((tmp_path / "home" / "models" / "churn").glob("[0-9]*"))) == 1


def test_no_memory(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    shell = Shell(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_AS)
    # What is imported alone takes more; the process that is started inherits the limit.
    resource.setrlimit(resource.RLIMIT_AS, (700 << 20, before[1]))
    try:
        process = shell.start("init", "a.csv", "--target", "kind")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error: memory ran out" in said
    assert "Traceback" not in said
    assert not (tmp_path / "pipelines").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_thousand_columns(tmp_path: Path) -> None:
    draw = random.Random(1)
    wide = {f"column {place}": [f"{draw.random():.3f}" for _ in range(60)] for place in range(MANY)}
    write_table(tmp_path / "wide.csv", wide)
    shell = Shell(tmp_path)
    for arguments in (("init", "wide.csv", "--target", "kind"), ("check", "pipelines/configs/wide.yaml")):
        process = shell.start(*arguments)
        out, said = process.communicate()
        assert process.returncode == 0, said
        assert len(out.splitlines()) < 120

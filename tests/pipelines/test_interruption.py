"""A living run is known by the lock that it holds; only a dead one's server is asked."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from pipelines import interruption


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    folder = tmp_path / "at_work"
    folder.mkdir()
    return folder


HOLDER = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"


def test_a_run_is_alive_as_long_as_its_process_is_however_that_ends(records: Path) -> None:
    path = records / f"{uuid4()}.json"
    path.write_text("{}")
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        # No server is configured here: asking one would start it.
        assert interruption.mark_dead() == []
        assert interruption._is_alive(path)
        process.kill()
        process.wait()
    assert not interruption._is_alive(path)
    assert path.exists()


def test_a_record_that_another_attempt_replaced_meanwhile_is_not_judged(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = records / f"{uuid4()}.json"
    path.write_text("{}")
    lock = fcntl.flock

    def replaced_before_lock(descriptor: int, how: int) -> None:
        new = records / "new"
        new.write_text("{}")
        new.rename(path)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", replaced_before_lock)
    assert interruption._is_alive(path)


def test_a_record_that_is_gone_is_nobodys(records: Path) -> None:
    assert interruption._is_alive(records / "gone.json")


def test_looking_takes_no_lock_along(records: Path) -> None:
    path = records / f"{uuid4()}.json"
    path.write_text("{}")
    assert not interruption._is_alive(path)
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)

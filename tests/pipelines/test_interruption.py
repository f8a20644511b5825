"""A living run is known by the lock that it holds; only a dead one's server is asked."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Running

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


def begin(run: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on record as a flow run's process does."""
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", str(run))
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__RUN_COUNT", "1")
    interruption.go_on_record()


def held(records: Path) -> list[str]:
    return sorted(path.stem for path in records.iterdir() if interruption._is_alive(path))


def test_a_process_that_runs_many_holds_the_record_of_one(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "_held", {})
    runs = [uuid4() for _ in range(20)]
    open_files = len(list(Path("/dev/fd").iterdir()))
    for run in runs:
        begin(run, monkeypatch)
        assert held(records) == [str(run)]
    assert len(list(Path("/dev/fd").iterdir())) == open_files + 1
    interruption._at_exit()
    assert list(records.iterdir()) == []


def test_a_run_of_another_thread_stays_on_record(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "_held", {})
    first, second = uuid4(), uuid4()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(begin, first, monkeypatch).result()
        begin(second, monkeypatch)
        assert held(records) == sorted(map(str, (first, second)))
    interruption._at_exit()


def test_a_server_that_has_not_heard_of_the_end_hears_of_it_from_the_next(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "_held", {})
    run = uuid4()
    begin(run, monkeypatch)
    monkeypatch.setattr(interruption, "is_away", lambda: True)
    interruption._at_exit()
    assert not interruption._is_alive(records / f"{run}.json")
    assert (records / f"{run}.json").exists()


def test_files_that_are_no_records_of_ours_stop_no_run(records: Path) -> None:
    (records / "notes.json").write_text("mine")
    (records / ".DS_Store").write_bytes(b"\0")
    # Without a record of a dead run no server is asked; none is configured here.
    assert interruption.mark_dead() == []


@pytest.mark.parametrize("torn", [b"", b"{", b"[1]", b"\xff\xfe", b'{"attempt": "x"}', b"{}"])
def test_a_record_that_a_crash_of_the_system_has_torn_is_judged_and_dropped(records: Path, torn: bytes) -> None:
    class Server:
        """Knows the run as one that runs, and is told nothing of it."""

        def read_flow_run(self, run: UUID) -> FlowRun:
            state: State[None] = Running()
            return FlowRun(id=run, flow_id=run, run_count=1, state=state, state_type=state.type)

    path = records / f"{uuid4()}.json"
    path.write_bytes(torn)
    # Which attempt it was is not known, and that which runs now may be another.
    assert interruption._judge(Server(), path) == []  # type: ignore[arg-type]
    assert not path.exists()


def test_another_users_record_that_cannot_be_locked_is_left_to_them(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = records / f"{uuid4()}.json"
    path.write_text("{}")

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    assert interruption.mark_dead() == []

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines import environment
from pipelines.up import lock
from pipelines.up.lock import only_group, publish_server, running_server
from tasks.errors import ConfigError


def test_a_second_group_in_a_home_is_told_who_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "up"
    with (
        only_group(folder),
        pytest.raises(ConfigError, match=rf"running there, as process {os.getpid()}\n.*kill {os.getpid()}"),
        only_group(folder),
    ):
        pytest.fail("two groups")
    with only_group(folder):
        pass


def test_the_server_is_known_as_long_as_the_group_lives(tmp_path: Path) -> None:
    assert running_server(tmp_path / "up") is None
    with only_group(tmp_path / "up"):
        assert running_server(tmp_path / "up") is None
        publish_server(tmp_path / "up", "http://127.0.0.1:1/api")
        assert running_server(tmp_path / "up") == "http://127.0.0.1:1/api"
    assert running_server(tmp_path / "up") is None
    publish_server(tmp_path / "up", "http://127.0.0.1:1/api")
    assert running_server(tmp_path / "up") is None, "a group that was killed left this file"


def test_the_processes_of_a_group_hold_its_lock(tmp_path: Path) -> None:
    with only_group(tmp_path / "up") as lock:
        publish_server(tmp_path / "up", "http://127.0.0.1:1/api")
        kept = os.dup(lock)
    publish_server(tmp_path / "up", "http://127.0.0.1:1/api")
    assert running_server(tmp_path / "up") is not None
    os.close(kept)
    assert running_server(tmp_path / "up") is None


def test_commands_use_the_groups_server_unless_another_is_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # So that what `prepare` sets is taken back.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ |= {"HEADRACE_HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect")}
    os.environ.pop("PREFECT_API_URL", None)
    with only_group(tmp_path / "up"):
        publish_server(tmp_path / "up", "http://127.0.0.1:1/api")
        os.environ["PREFECT_API_URL"] = "http://elsewhere/api"
        environment.prepare()
        assert os.environ["PREFECT_API_URL"] == "http://elsewhere/api"
        del os.environ["PREFECT_API_URL"]
        environment.prepare()
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:1/api"


def test_the_server_of_a_group_that_was_killed_is_not_taken_for_that_of_the_next(tmp_path: Path) -> None:
    publish_server(tmp_path / "up", "http://127.0.0.1:1/api")
    with only_group(tmp_path / "up"):
        assert running_server(tmp_path / "up") is None
        publish_server(tmp_path / "up", "http://127.0.0.1:2/api")
        assert running_server(tmp_path / "up") == "http://127.0.0.1:2/api"


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_file_that_is_none_of_ours_names_no_server(tmp_path: Path, torn: bytes) -> None:
    with only_group(tmp_path / "up"):
        (tmp_path / "up" / "server.json").write_bytes(torn)
        assert running_server(tmp_path / "up") is None


@pytest.mark.parametrize("said", [pytest.param(str(os.getpid()), id="of another"), "999999999", "who knows", "", "\0"])
def test_nobody_is_told_to_kill_a_process_that_only_has_the_id_of_a_group_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(lock, "_ENDING_SECONDS", 0.1)
    with only_group(tmp_path / "up"):
        pass
    (tmp_path / "up" / "lock").write_text(said)
    # As a program holds it that a killed group has left.
    with (tmp_path / "up" / "lock").open("rb") as left:
        fcntl.flock(left, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="was killed there, and programs"), only_group(tmp_path / "up"):
            pytest.fail("two groups")
    with only_group(tmp_path / "up"):
        pass


def test_of_groups_that_start_at_the_same_moment_one_does(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys\nfrom pipelines.up.lock import only_group\n"
        "with only_group(pathlib.Path(sys.argv[1])):\n    print('up', flush=True)\n    input()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "up")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    deadline = time.monotonic() + 30
    while sum(each.poll() is not None for each in started) < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    (one,) = [each for each in started if each.poll() is None]
    for each in started:
        out, said = each.communicate("\n", timeout=30)
        assert out == ("up\n" if each is one else "")
        assert (f"running there, as process {one.pid}\n" in said) == (each is not one)


def test_a_lock_that_kill_9_leaves_is_free_at_once(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys\nfrom pipelines.up.lock import only_group, publish_server\n"
        "with only_group(pathlib.Path(sys.argv[1])):\n"
        "    publish_server(pathlib.Path(sys.argv[1]), 'http://127.0.0.1:1/api')\n    os.kill(0, signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "up")], start_new_session=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "up" / "server.json").exists()
    assert running_server(tmp_path / "up") is None
    with only_group(tmp_path / "up"):
        assert running_server(tmp_path / "up") is None

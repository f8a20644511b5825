from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines import environment
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

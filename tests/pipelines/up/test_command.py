from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.up.group import Plan, programs
from pipelines.up.lock import only_group
from pipelines.up.ports import Address, settle
from tests.pipelines.command_line import called


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine on which somebody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield int(listening.getsockname()[1])


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ |= {"HEADRACE_HOME": str(tmp_path / "home"), "PREFECT_HOME": str(tmp_path / "prefect")}
    os.environ.pop("PREFECT_API_URL", None)


@pytest.mark.parametrize(("option", "what"), [("--port", "the endpoint"), ("--prefect-port", "Prefect's server")])
def test_a_taken_port_is_said_before_anything_starts(
    option: str, what: str, taken: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = {"--port": "0", "--prefect-port": "0"} | {option: str(taken)}
    arguments = ["up", *(part for pair in ports.items() for part in pair)]
    code, _, said = called(arguments, capsys, monkeypatch)
    assert code == 2
    assert f"{what} cannot listen on 127.0.0.1:{taken}: Address already in use" in said
    assert f"do: name another port with {option}" in said
    assert "starting" not in said


def test_a_second_group_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with only_group(tmp_path / "home" / "up"):
        code, _, said = called(["up", "--port", "0", "--prefect-port", "0"], capsys, monkeypatch)
    assert code == 2
    assert f"`headrace up` is running there, as process {os.getpid()}" in said


def test_a_server_that_is_set_up_and_does_not_answer_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ["PREFECT_API_URL"] = "http://127.0.0.1:9/api"
    code, _, said = called(["up", "--port", "0"], capsys, monkeypatch)
    assert code == 2
    assert "http://127.0.0.1:9/api, set by the variable PREFECT_API_URL, does not answer" in said


def test_free_ports_differ_and_stay() -> None:
    first, second = settle([Address("a", "127.0.0.1", 0, "--a"), Address("b", "127.0.0.1", 0, "--b")])
    assert first.port != second.port
    assert settle([first, second]) == [first, second]


@pytest.mark.parametrize(
    ("host", "url", "local"),
    [
        ("127.0.0.1", "http://127.0.0.1:80", True),
        ("localhost", "http://localhost:80", True),
        ("::1", "http://[::1]:80", True),
        ("0.0.0.0", "http://127.0.0.1:80", False),
        ("::", "http://[::1]:80", False),
        ("10.0.0.1", "http://10.0.0.1:80", False),
    ],
)
def test_an_address_says_how_this_machine_asks_it(host: str, url: str, local: bool) -> None:
    address = Address("it", host, 80, "--port")
    assert (address.url, address.local) == (url, local)


def test_each_program_comes_after_those_that_it_needs(tmp_path: Path) -> None:
    at = Address("it", "127.0.0.1", 80, "--port")
    whole = Plan(tmp_path / "up", "http://127.0.0.1:80/api", at, at, configs=(tmp_path / "a.yaml",))
    made = {program.name: program.after for program in programs(whole)}
    assert made == {"server": (), "endpoint": (), "deploy": ("server",), "worker": ("server", "deploy")}
    theirs = Plan(tmp_path / "up", "http://there/api", None, None)
    assert [(program.name, program.after) for program in programs(theirs)] == [("worker", ())]


@pytest.mark.parametrize(
    ("name", "line", "shown"),
    [
        ("server", "18:36:55.054 | ERROR   | prefect.server.services - it failed", True),
        ("server", '  File "a.py", line 3, in b', False),
        ("worker", "run customers-20261123-030000-5b07c1ce: Promoted", True),
        ("worker", "18:36:55.054 | INFO    | Task run 'clean' - 4015 rows", False),
        ("endpoint", "anything", True),
        ("endpoint", "", False),
    ],
)
def test_what_is_long_stays_in_the_logs(name: str, line: str, shown: bool, tmp_path: Path) -> None:
    at = Address("it", "127.0.0.1", 80, "--port")
    made = {program.name: program for program in programs(Plan(tmp_path / "up", "", at, at))}
    assert bool(made[name].shown.match(line)) is shown


def test_prefects_server_calls_nobody_and_stays_in_the_home(tmp_path: Path) -> None:
    del os.environ["PREFECT_HOME"]
    server = programs(Plan(tmp_path / "up", "", Address("it", "127.0.0.1", 81, "--port"), None))[0]
    assert server.environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert server.environment["PREFECT_SERVER_UI_V2_ENABLED"] == "false"
    assert server.environment["PREFECT_SERVER_UI_API_URL"] == "http://127.0.0.1:81/api"
    assert server.environment["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert "PREFECT_API_URL" not in server.environment

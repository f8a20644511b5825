from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipelines.doctor.network import dask_finding, port_finding, prefect_finding, telemetry_findings
from pipelines.up.lock import only_group, publish_server
from pipelines.up.ports import Address
from tests.pipelines.command_line import called


@contextmanager
def answering(status: int, body: object) -> Iterator[str]:
    """Serve one answer to every request; yield the server's address."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where nobody has set up Prefect; what the command sets in the environment does not stay."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("PREFECT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def test_a_port_that_is_taken_names_who_has_it() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        found = port_finding(Address("the endpoint", "127.0.0.1", port, "--port"))
        assert (found.state, found.what) == ("note", f"port {port}")
        assert f"by process {os.getpid()}" in found.said
        assert "--port" in (found.remedy or "")
    assert port_finding(Address("the endpoint", "127.0.0.1", port, "--port")).state == "ok"


@pytest.mark.parametrize(
    ("status", "body", "state", "said"),
    [
        (200, "3.8.8", "ok", "answers, version 3.8.8"),
        (200, "3.2.0", "note", "version 3.2.0; installed here is 3.8.1"),
        (401, "", "note", "asks for a login"),
        (500, "", "problem", "answers 500"),
    ],
)
def test_a_prefect_server(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: str, state: str, said: str
) -> None:
    with answering(status, body) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        found = prefect_finding({"prefect": "3.8.1"})
        assert (found.state, said in found.said) == (state, True), found
    gone = prefect_finding({"prefect": "3.8.1"})
    assert (gone.state, "does not answer" in gone.said) == ("problem", True)
    assert "PREFECT_API_URL" in (gone.remedy or "")


def test_no_prefect_server_and_wrong_addresses(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prefect_finding({}).state == "ok"
    monkeypatch.setenv("PREFECT_API_URL", "ftp://me:secret@somewhere/api")
    found = prefect_finding({})
    assert found.state == "problem"
    assert "secret" not in found.said
    monkeypatch.delenv("PREFECT_API_URL")
    (nowhere / "prefect.toml").write_text("= no toml")
    assert "no TOML" in prefect_finding({}).said


def test_the_server_of_a_group_is_found(nowhere: Path) -> None:
    folder = nowhere / "home" / "up"
    with answering(200, "3.8.8") as url, only_group(folder):
        publish_server(folder, url)
        found = prefect_finding({"prefect": "3.8.8"})
    assert (found.state, found.said) == ("ok", f"{url} (the group of `headrace up`) answers, version 3.8.8")


def test_a_dask_scheduler() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        assert dask_finding(address).state == "ok"
    gone = dask_finding(address)
    assert (gone.state, "does not answer" in gone.said) == ("problem", True)
    assert "dask.scheduler_address" in (gone.remedy or "")
    assert "expected an address" in dask_finding("scheduler").said


def test_telemetry_that_is_on_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    (found,) = telemetry_findings()
    assert (found.state, "DO_NOT_TRACK" in found.said) == ("problem", True)


def test_the_command_says_all_and_fails_only_for_problems(
    nowhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = called(["doctor", "--json"], capsys, monkeypatch)
    said = json.loads(out)
    assert code == (1 if said["problems"] else 0)
    assert {each["what"] for each in said["findings"]} >= {"python", "libraries", "memory", "home", "gpu", "prefect"}
    assert list(nowhere.iterdir()) == []
    config = nowhere / "config.yaml"
    config.write_text("dask: {scheduler_address: 'tcp://127.0.0.1:1'}\n")
    code, out, _ = called(["doctor", str(config)], capsys, monkeypatch)
    assert code == 1
    assert "problem  dask        tcp://127.0.0.1:1 does not answer" in out
    code, _, error = called(["doctor", str(nowhere / "none.yaml")], capsys, monkeypatch)
    assert (code, "no such file" in error) == (2, True)

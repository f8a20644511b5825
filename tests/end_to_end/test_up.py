"""`headrace up` as a user has it: one group, driven through its URLs, hit, and stopped."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project
from tests.end_to_end.prefect_calls import client_of

pytestmark = pytest.mark.integration

_SECONDS = 180.0
_SCHEDULE = "schedule: {cron: '0 3 1 1 *'}\n"
# Long enough to be hit while it trains.
_LONG = ["train.rounds=2000", "train.steps_per_round=50", "train.selection.patience=2000"]


@dataclass(frozen=True)
class Up:
    """The group: its process, what it said of itself, and whose it is."""

    process: subprocess.Popen[str]
    said: dict[str, Any]
    shell: Shell

    @property
    def api(self) -> str:
        return str(self.said["prefect"]["api"])

    @property
    def endpoint(self) -> str:
        return str(self.said["endpoint"]["url"])

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        with client_of(self.api) as client:
            answer = client.request("GET" if body is None else "POST", path, json=body)
        return answer.raise_for_status().json()

    def start_run(self, *overrides: str) -> str:
        found = self.ask("/deployments/name/data-to-deployment/customers")
        body = {"parameters": {**found["parameters"], "overrides": list(overrides)}} if overrides else {}
        return str(self.ask(f"/deployments/{found['id']}/create_flow_run", body)["id"])

    def state(self, run: str) -> str:
        return str(self.ask(f"/flow_runs/{run}")["state_name"])

    def child(self, words: str) -> psutil.Process | None:
        """Return the program, not its keeper, with these words in its command."""
        for each in psutil.Process(self.process.pid).children(recursive=True):
            command = " ".join(each.cmdline())
            if words in command and "pipelines.up.keeper" not in command:
                return each
        return None

    def kill(self, words: str) -> None:
        """Kill a program, and return once another one of its kind is there."""
        killed = self.child(words)
        assert killed is not None
        killed.kill()
        _wait(lambda: (now := self.child(words)) is not None and now.pid != killed.pid, f"{words} did not come back")


def _wait(true: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not _settled(true):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


def _settled(true: Callable[[], bool]) -> bool:
    try:
        return true()
    except (httpx.HTTPError, psutil.NoSuchProcess):
        return False


def _answers(url: str) -> bool:
    return httpx.get(url, timeout=5).status_code == 200


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    shell = Shell(tmp_path_factory.mktemp("up"))
    write_project(shell.folder)
    with (shell.folder / "customers.yaml").open("a") as config:
        config.write(_SCHEDULE)
    process = shell.start("up", "customers.yaml", "--port", "0", "--prefect-port", "0", "--json")
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"the group did not start: {process.communicate()[1]}")
    try:
        yield Up(process, json.loads(line), shell)
    finally:
        process.kill()
        process.communicate()


def test_every_url_answers_and_the_next_run_is_said(up: Up) -> None:
    for url in (up.said["prefect"]["ui"], up.said["endpoint"]["page"], f"{up.endpoint}/v2/health/live"):
        assert _answers(url), url
    (deployment,) = up.said["deployments"]
    assert deployment["name"] == "data-to-deployment/customers"
    assert "-01-01T03:00+00:00" in deployment["next"]
    assert Path(up.said["logs"], "server.log").is_file()


def test_a_second_group_in_the_home_is_refused(up: Up) -> None:
    second = up.shell.run("up", "--port", "0", "--prefect-port", "0")
    assert second.returncode == 2
    assert f"running there, as process {up.process.pid}" in second.stderr


def test_a_run_started_at_the_server_is_promoted_and_served(up: Up) -> None:
    assert not httpx.get(f"{up.endpoint}/v2/models/churn/ready").is_success
    run = up.start_run()
    _wait(lambda: up.state(run) in {"Promoted", "Completed", "Failed", "Crashed"}, "the run did not end")
    assert up.state(run) == "Promoted"
    _wait(lambda: _answers(f"{up.endpoint}/v2/models/churn/ready"), "the endpoint does not serve the model")


def test_a_run_by_hand_is_seen_at_the_server(up: Up) -> None:
    before = up.ask("/flow_runs/count", {})
    assert up.shell.run("run", "customers.yaml").returncode == 0
    assert up.ask("/flow_runs/count", {}) == before + 1


def test_a_killed_endpoint_and_a_killed_server_come_back(up: Up) -> None:
    up.kill("-m serving")
    up.kill("prefect server start")
    _wait(lambda: _answers(f"{up.endpoint}/v2/models/churn/ready"), "the endpoint is not back")
    _wait(lambda: _answers(f"{up.api}/health"), "the server is not back")


@pytest.mark.slow
def test_the_run_of_a_killed_worker_goes_on(up: Up) -> None:
    run = up.start_run(*_LONG)
    _wait(lambda: up.state(run) == "Running" and up.child("prefect.engine") is not None, "the run does not run")
    engine = up.child("prefect.engine")
    assert engine is not None
    up.kill("pipelines.up.worker")
    assert not engine.is_running()
    _wait(lambda: up.ask(f"/flow_runs/{run}")["run_count"] == 2, "the run did not go on")
    assert up.state(run) in {"Running", "Retrying"}


def test_one_signal_ends_all_and_leaves_no_run_at_work(up: Up) -> None:
    run = up.start_run(*_LONG)
    _wait(lambda: up.state(run) == "Running", "no run is at work")
    everybody = psutil.Process(up.process.pid).children(recursive=True)
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(90) == 0
    assert not [each for each in everybody if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    with sqlite3.connect(up.shell.folder / "prefect" / "prefect.db") as database:
        found = [name for (name,) in database.execute("select state_name from flow_run where start_time is not null")]
    assert set(found) - {"Promoted"} == {"AwaitingRetry"}

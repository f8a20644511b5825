"""A worker's run that is cancelled or killed: its processes go, it is marked, and the next one is not kept waiting."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.end_to_end.chaos.wholeness import MARK, command_of, marked, torn
from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project
from tests.end_to_end.prefect_calls import client_of

# The bar for processes; what the server and the worker then write down may take longer on a busy machine.
GONE_SECONDS = 15.0
TOLD_SECONDS = 400.0
POOL = "cancelled"
LONG = ("train.rounds=500", "train.steps_per_round=200", "train.selection.patience=500")
RANKS = (*LONG, "train.machine={threads: 1, devices: 2, accelerator: cpu}")
CLUSTER = (*LONG, "dask.processes=true", "dask.workers=2")


_CLIENT = client_of("")


def _wait_for(what: str, condition: Callable[[], object], seconds: float = TOLD_SECONDS) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, f"not in time: {what}"
        time.sleep(0.1)
    return time.monotonic() - began


@dataclass(frozen=True)
class Deployed:
    """A deployment, and the worker that runs it."""

    api: str
    id: str
    mark: str

    def start(self, settings: tuple[str, ...]) -> str:
        """Ask for a run and return its id."""
        body = {
            "parameters": {"overrides": settings},
            "state": {"type": "SCHEDULED"},
            "enforce_parameter_schema": False,
        }
        answer = _CLIENT.post(f"{self.api}/deployments/{self.id}/create_flow_run", json=body)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["id"])

    def state(self, run: str) -> str:
        """Return the name of a run's state."""
        return str(_CLIENT.get(f"{self.api}/flow_runs/{run}").json()["state"]["name"])

    def cancel(self, run: str) -> None:
        """Do what the button in the UI does."""
        state: dict[str, Any] = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
        _CLIENT.post(f"{self.api}/flow_runs/{run}/set_state", json=state).raise_for_status()

    def processes(self, word: str) -> list[psutil.Process]:
        """Return the job's processes whose command has a word; the worker is none of them."""
        return [process for process in marked(self.mark) if word in command_of(process)]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Iterator[tuple[Deployed, Path]]:
    folder, mark = tmp_path_factory.mktemp("cancelled"), uuid.uuid4().hex
    write_project(folder, rows=2000)
    shell = Shell(folder, {"PREFECT_API_URL": prefect_api, MARK: mark, "OMP_NUM_THREADS": "1"})
    done = shell.run("deploy", "customers.yaml", "--pool", POOL)
    assert done.returncode == 0, done.stderr
    found = _CLIENT.get(f"{prefect_api}/deployments/name/data-to-deployment/customers").json()
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    with (folder / "worker").open("wb") as output:
        worker = subprocess.Popen(
            command, cwd=folder, env=shell.environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield Deployed(prefect_api, found["id"], mark), folder
    finally:
        for process in marked(mark):
            process.kill()
        worker.wait(30)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("settings", "child"),
    [
        pytest.param(RANKS, "tasks.training.rank", id="ranks"),
        pytest.param(CLUSTER, "spawn_main", id="cluster", marks=pytest.mark.slow),
    ],
)
def test_a_cancelled_run_leaves_no_process(
    deployed: tuple[Deployed, Path], settings: tuple[str, ...], child: str
) -> None:
    deployment, folder = deployed
    run = deployment.start(settings)
    _wait_for(f"two of {child}", lambda: len(deployment.processes(child)) >= 2)
    deployment.cancel(run)
    _wait_for("no process left", lambda: not deployment.processes(child), GONE_SECONDS)
    _wait_for("cancelled", lambda: deployment.state(run) == "Cancelled", TOLD_SECONDS)
    assert torn(folder / "home") == []


@pytest.mark.integration
@pytest.mark.slow
def test_a_killed_run_is_crashed_and_its_place_is_free(deployed: tuple[Deployed, Path]) -> None:
    deployment, _ = deployed
    run = deployment.start(RANKS)
    _wait_for("two ranks", lambda: len(deployment.processes("tasks.training.rank")) >= 2)
    for process in {rank.parent() for rank in deployment.processes("tasks.training.rank")}:
        assert process is not None
        process.kill()
    _wait_for("no rank left", lambda: not deployment.processes("tasks.training.rank"), GONE_SECONDS)
    _wait_for("crashed", lambda: deployment.state(run) == "Crashed", TOLD_SECONDS)
    # The deployment lets one run at a time; that of the killed one must not count.
    following = deployment.start(LONG)
    _wait_for("the next one runs", lambda: deployment.state(following) == "Running", TOLD_SECONDS)
    deployment.cancel(following)
    _wait_for("cancelled", lambda: deployment.state(following) == "Cancelled", TOLD_SECONDS)

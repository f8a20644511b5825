"""docs/growing/work-pools.md, done: a worker that shares with the deploying machine a Prefect server and a bucket."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serving.bundle.places import RemotePath
from serving.bundle.store import ModelStore
from tests.end_to_end.conftest import ROOT, Shell
from tests.end_to_end.customers import write_project
from tests.end_to_end.prefect_calls import Server
from tests.growing.worker import worker

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Shell:
    """Where somebody writes the project and deploys it."""
    folder = tmp_path_factory.mktemp("laptop")
    write_project(folder)
    return Shell(folder, {"PREFECT_API_URL": prefect_api, "HOME": str(folder)})


def test_a_worker_elsewhere_runs_what_was_deployed_here(
    laptop: Shell, bucket: RemotePath, s3_variables: dict[str, str], tmp_path: Path
) -> None:
    machine = tmp_path / "machine"
    project = machine / "srv" / "project"
    home = str(bucket / "home")
    there = Shell(laptop.folder, {**laptop.variables, **s3_variables, "HEADRACE_HOME": home})
    python = machine / "bin" / "python"
    python.parent.mkdir(parents=True)
    # Another path of the same installation, as another machine has it.
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = there.run(
        "deploy", "customers.yaml", "--pool", "remote", "--work-dir", str(project), "--python", str(python), "--json"
    )
    assert done.returncode == 0, done.stderr
    (deployed,) = json.loads(done.stdout.splitlines()[-1])["deployments"]
    assert str(laptop.folder) not in json.dumps(deployed)
    shutil.copytree(laptop.folder, project, ignore=shutil.ignore_patterns("[!c]*"))
    (laptop.folder / "customers.csv").unlink()

    server = Server(laptop.variables["PREFECT_API_URL"])
    said = server.deployment("data-to-deployment/customers")
    assert str(laptop.folder) not in json.dumps([said["parameters"], said["job_variables"], said["description"]])
    with worker(machine, "remote", PREFECT_API_URL=laptop.variables["PREFECT_API_URL"], **s3_variables) as log:
        run = server.ended(server.start(deployed["id"]))
        assert run["state_name"] == "Promoted", server.log(run["id"]) + log.read_text()
    assert ModelStore(bucket / "home" / "models").champion("churn") is not None
    # Prefect's records stand below the worker's own home, and are shared through the bucket.
    assert [path.name for path in (machine / ".cache" / "headrace").glob("*/results")] == ["results"]
    records = {path.name for path in (bucket / "home" / "results").iterdir()}
    assert records == {path.name for path in (machine / ".cache" / "headrace").glob("*/results/*")}
    assert not (project / ".headrace").exists()


# The names and kinds of variables of a job, as the worker of prefect-kubernetes 0.8.0 declares them; there are more.
_KUBERNETES = {
    "image": "string",
    "namespace": "string",
    "service_account_name": "string",
    "env": "object",
    "command": "string",
}


def test_the_example_for_kubernetes_is_registered(laptop: Shell) -> None:
    server = Server(laptop.variables["PREFECT_API_URL"])
    template = {
        "job_configuration": {name: f"{{{{ {name} }}}}" for name in _KUBERNETES},
        "variables": {
            "type": "object",
            "properties": {name: {"type": kind} for name, kind in _KUBERNETES.items()},
            "additionalProperties": False,
        },
    }
    server.ask("/work_pools/", {"name": "kubernetes", "type": "kubernetes", "base_job_template": template})
    file = "docs/examples/prefect-kubernetes.yaml"
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", file]
    done = subprocess.run(command, cwd=ROOT, env=laptop.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = next(each for each in server.ask("/deployments/filter") if each["work_pool_name"] == "kubernetes")
    assert found["entrypoint"] == "pipelines.flow.data_to_deployment"
    assert found["global_concurrency_limit"]["limit"] == 1
    assert set(found["job_variables"]) <= set(_KUBERNETES)
    assert found["pull_steps"] in (None, [])

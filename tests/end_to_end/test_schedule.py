"""Deployments at a real server, run by a real worker, because their schedule says so."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.end_to_end.conftest import ROOT, Shell
from tests.end_to_end.customers import write_customers, write_project
from tests.end_to_end.prefect_calls import client_of
from tests.end_to_end.receiver import wait_for

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def project(shell: Shell) -> Shell:
    write_project(shell.folder)
    return Shell(shell.folder, {**shell.variables, "PREFECT_WORKER_QUERY_SECONDS": "2"})


@pytest.fixture(scope="module")
def api(project: Shell) -> Iterator[httpx.Client]:
    with client_of(project.variables["PREFECT_API_URL"]) as client:
        yield client


@pytest.fixture
def worker(project: Shell) -> Iterator[Callable[[], None]]:
    """Starts a worker with Prefect's own command, from another folder than the project's."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "headrace", "--type", "process"]
        elsewhere = project.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        kept = {name: value for name, value in project.environment.items() if name != "HEADRACE_HOME"}
        with (elsewhere / "worker.log").open("wb") as log:
            started.append(subprocess.Popen(command, cwd=elsewhere, env=kept, stdout=log, stderr=log))

    yield start
    for process in started:
        process.terminate()
        process.wait(60)


def deployed(project: Shell, *settings: str) -> dict[str, Any]:
    """Deploy the project under settings; returns what the command said of it."""
    given = [word for setting in settings for word in ("--set", setting)]
    done = project.run("deploy", "customers.yaml", "--json", *given)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])["deployments"]
    assert len(found) == 1
    return dict(found[0])


def runs(api: httpx.Client, deployment: str) -> list[dict[str, Any]]:
    """Return a deployment's scheduled runs, the earliest first."""
    asked = {"flow_runs": {"deployment_id": {"any_": [deployment]}}, "sort": "EXPECTED_START_TIME_ASC"}
    found = api.post("/flow_runs/filter", json=asked).raise_for_status().json()
    return [run for run in found if run["auto_scheduled"]]


def log_of(api: httpx.Client, run: dict[str, Any]) -> str:
    asked = {"logs": {"flow_run_id": {"any_": [run["id"]]}}, "limit": 200}
    return "\n".join(line["message"] for line in api.post("/logs/filter", json=asked).raise_for_status().json())


def test_deploying_is_repeatable_and_follows_the_config(project: Shell, api: httpx.Client) -> None:
    first = deployed(project, "name=often", "schedule={cron: 0 6 * * *, timezone: Europe/Vienna}")
    assert (first["change"], len(first["next"])) == ("created", 3)
    assert all(moment[11:16] == "06:00" for moment in first["next"])
    there = api.get(f"/deployments/{first['id']}").json()
    assert there["global_concurrency_limit"]["limit"] == 1
    assert there["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert there["enforce_parameter_schema"]
    assert all("description" in field for field in there["parameter_openapi_schema"]["properties"].values())
    assert {"headrace", "pipeline:often", "model:churn"} == set(there["tags"])

    again = deployed(project, "name=often", "schedule={cron: 0 6 * * *, timezone: Europe/Vienna}")
    assert (again["change"], again["id"]) == ("unchanged", first["id"])
    assert api.get(f"/deployments/{first['id']}").json()["updated"] == there["updated"]

    (schedule,) = there["schedules"]
    api.patch(f"/deployments/{first['id']}/schedules/{schedule['id']}", json={"active": False}).raise_for_status()
    kept = deployed(project, "name=often", "schedule={cron: 0 6 * * *, timezone: Europe/Vienna}", "train.seed=3")
    assert kept["change"] == "updated"
    assert "was paused in the UI, and stays so" in kept["notes"][0]

    assert deployed(project, "name=often")["next"] == []
    assert api.get(f"/deployments/{first['id']}").json()["schedules"] == []


def test_a_cron_schedule_fires_and_a_worker_runs_it_to_the_end(
    project: Shell, api: httpx.Client, worker: Callable[[], None]
) -> None:
    worker()
    found = deployed(project, "schedule={cron: '* * * * *'}")
    run = wait_for(
        lambda: next((run for run in runs(api, found["id"]) if run["state_name"] == "Promoted"), None), "a promotion"
    )
    assert "trigger:scheduled" in run["tags"]
    said = log_of(api, run)
    assert "churn version 1 is the champion" in said
    assert (project.folder / "home" / "models" / "churn" / "champion").is_file()
    deployed(project)


def every_few_seconds(api: httpx.Client, deployment: str) -> None:
    """Let a deployment's runs become due faster than any can start: all but the last are missed."""
    often = {"schedule": {"interval": 5.0, "anchor_date": "2020-01-01T00:00:00Z"}, "active": True}
    api.post(f"/deployments/{deployment}/schedules", json=[often]).raise_for_status()


def due(api: httpx.Client, deployment: str, known: set[str]) -> list[dict[str, Any]]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return [run for run in runs(api, deployment) if run["id"] not in known and run["expected_start_time"] < now]


def missed_without_a_worker(project: Shell, api: httpx.Client, name: str, policy: str) -> tuple[str, list[str]]:
    """Deploy and wait until three runs are due that nothing takes; returns the deployment's id, and theirs."""
    # Of its own name: a run of another test that its worker left behind would hold the one slot for minutes.
    found = deployed(project, f"name={name}", f"schedule={{interval: 1h, missed: {policy}}}")["id"]
    known = {run["id"] for run in runs(api, found)}
    every_few_seconds(api, found)
    waiting = wait_for(lambda: late if len(late := due(api, found, known)) >= 3 else None, "three runs that are due")
    return found, [run["id"] for run in waiting]


@pytest.mark.slow
def test_one_run_makes_up_for_those_that_were_missed(
    project: Shell, api: httpx.Client, worker: Callable[[], None]
) -> None:
    found, waiting = missed_without_a_worker(project, api, "late", "latest")
    worker()
    wait_for(lambda: [run for run in runs(api, found) if run["state_name"] == "Promoted"], "a promotion")
    ended = {run["id"]: run["state_name"] for run in runs(api, found)}
    waited = [ended[run] for run in waiting]
    assert waited.count("Promoted") == 1
    assert set(waited) <= {"Promoted", "Missed", "Cancelled"}
    deployed(project, "name=late")


@pytest.mark.slow
def test_what_was_missed_is_skipped(project: Shell, api: httpx.Client, worker: Callable[[], None]) -> None:
    found, waiting = missed_without_a_worker(project, api, "skipping", "skip")
    worker()
    ended = wait_for(lambda: all_cancelled(api, found, waiting), "their cancellation")
    # The first says so itself; the others are settled by it, or find its place taken.
    missed = next(run for run in ended if run["start_time"] and run["state_name"] == "Missed")
    assert "nothing could run it when it was due" in missed["state"]["message"]
    deployed(project, "name=skipping")


def all_cancelled(api: httpx.Client, deployment: str, wanted: list[str]) -> list[dict[str, Any]] | None:
    found = [run for run in runs(api, deployment) if run["id"] in wanted]
    return found if {run["state_type"] for run in found} == {"CANCELLED"} else None


@pytest.mark.slow
def test_two_runs_at_once_end_with_one_digest(project: Shell) -> None:
    both = [project.start("run", "customers.yaml", "--set", "train.seed=9", "--json") for _ in range(2)]
    said = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], [err for _, err in said]
    assert len({json.loads(out.splitlines()[-1])["digest"] for out, _ in said}) == 1


@pytest.mark.slow
def test_a_backfill_does_each_partition_once(project: Shell) -> None:
    for month, rows in (("2024-01", 1500), ("2024-02", 60), ("2024-03", 1500)):
        write_customers(project.folder / f"customers-{month}.csv", rows=rows, seed=int(month[-1]))
    cut = (project.folder / "customers.yaml").read_text().replace("customers.csv", "customers-{partition}.csv")
    cut = cut.replace("name: customers", "name: by-month").replace("model: churn", "model: churn-by-month")
    (project.folder / "months.yaml").write_text(cut + "partitions: {by: month, from: 2024-01-01}\n")
    asked = ("backfill", "months.yaml", "--from", "2024-01", "--to", "2024-03", "--json")

    done = project.run(*asked)
    assert done.returncode == 4, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])["partitions"]
    assert [each["outcome"] for each in found.values()] == ["promoted", "contract broken", found["2024-03"]["outcome"]]
    assert found["2024-03"]["outcome"] in {"promoted", "refused"}
    folders = sorted((project.folder / "home" / "runs" / "by-month").iterdir())

    repeated = project.run(*asked)
    assert repeated.returncode == 4
    same = json.loads(repeated.stdout.splitlines()[-1])["partitions"]
    assert all(each["before"] for each in same.values())
    assert [each["digest"] for each in same.values()] == [each["digest"] for each in found.values()]
    assert sorted((project.folder / "home" / "runs" / "by-month").iterdir()) == folders

    named = project.run("run", "months.yaml", "--partition", "2024-13")
    assert named.returncode == 2
    assert "expected a month such as 2013-05" in named.stderr


@pytest.mark.slow
def test_prefects_own_command_registers_the_shipped_pipelines(project: Shell, api: httpx.Client) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "prefect.yaml"]
    # As a shell in that folder says.
    here = {**project.environment, "PWD": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = api.get("/deployments/name/data-to-deployment/flights").raise_for_status().json()
    assert found["entrypoint"] == "pipelines.flow.data_to_deployment"
    assert found["parameters"]["config_path"] == str(ROOT / "pipelines" / "configs" / "flights.yaml")
    assert found["global_concurrency_limit"]["limit"] == 1
    assert found["job_variables"]["working_dir"] == str(ROOT)
    names = {each["name"] for each in api.post("/deployments/filter", json={}).raise_for_status().json()}
    assert {"flights", "diabetes", "fashion-mnist"} <= names

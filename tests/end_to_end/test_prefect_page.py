"""What people see of runs in the Prefect UI, in a real browser; the tests of this file build on each other."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from pipelines.run_log import run_log
from tasks.dask_cluster import start_cluster
from tests.browser import chromium
from tests.end_to_end.conftest import ROOT, Shell
from tests.end_to_end.customers import write_project

pytestmark = [pytest.mark.integration, pytest.mark.slow]

REFUSING = "promote.gates.floor.roc_auc=0.99"


@pytest.fixture(scope="module")
def runs(shell: Shell) -> dict[str, Any]:
    """One run that promotes, and one that a gate refuses; by the name of the state that each ended in."""
    write_project(shell.folder)
    assert shell.run("run", "customers.yaml").returncode == 0
    assert shell.run("run", "customers.yaml", "--set", REFUSING).returncode == 3
    found = flow_runs(shell)
    return {each["state_name"]: each for each in found if "pipeline:customers" in each["tags"]}


@pytest.fixture(scope="module")
def deployment(shell: Shell, runs: dict[str, Any]) -> str:
    """The page of the pipeline's deployment, below the UI's address."""
    done = shell.run("deploy", "customers.yaml")
    assert done.returncode == 0, done.stderr
    api = shell.variables["PREFECT_API_URL"]
    found = httpx.get(f"{api}/deployments/name/data-to-deployment/customers").json()
    return f"/deployments/deployment/{found['id']}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Any, shell: Shell) -> Iterator[Any]:
    """A page of the UI that may ask nobody but the server."""
    address = shell.variables["PREFECT_API_URL"].removesuffix("/api")
    asked: list[str] = []
    context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


def flow_runs(shell: Shell) -> list[dict[str, Any]]:
    found = httpx.post(f"{shell.variables['PREFECT_API_URL']}/flow_runs/filter", json={"limit": 200})
    return list(found.json())


def artifacts(shell: Shell, run: dict[str, Any]) -> dict[str, str]:
    """Return the pages of a run's artifacts by their keys."""
    asked = {"flow_runs": {"id": {"any_": [run["id"]]}}, "limit": 200}
    found = httpx.post(f"{shell.variables['PREFECT_API_URL']}/artifacts/filter", json=asked).json()
    return {each["key"]: f"/artifacts/artifact/{each['id']}" for each in found}


def logs(shell: Shell, run: str) -> list[dict[str, Any]]:
    asked = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"}
    return list(httpx.post(f"{shell.variables['PREFECT_API_URL']}/logs/filter", json=asked).json())


def test_a_runs_name_tags_state_and_message_say_what_it_was(runs: dict[str, Any]) -> None:
    assert runs.keys() >= {"Promoted", "Refused"}
    for run in (runs["Promoted"], runs["Refused"]):
        assert run["name"].startswith("customers-20")
        assert run["name"].endswith(run["id"][-8:])
        assert set(run["tags"]) == {"pipeline:customers", "model:churn", "trigger:manual"}
    assert runs["Promoted"]["state"]["message"].startswith("churn version 1 is the champion: test roc_auc 0.")
    assert "Refused by: floor roc_auc: expected >= 0.99, got 0." in runs["Refused"]["state"]["message"]
    assert runs["Refused"]["state_type"] == "FAILED"


def test_the_list_of_runs_tells_a_refusal_from_a_promotion(page: Any, runs: dict[str, Any]) -> None:
    page.goto("/runs")
    for run in (runs["Promoted"], runs["Refused"]):
        line = page.locator(".state-list-item", has_text=run["name"])
        line.get_by_text(run["state_name"], exact=True).wait_for()


def test_the_log_of_a_refused_run_ends_with_the_refusal_and_no_traceback(
    page: Any, shell: Shell, runs: dict[str, Any]
) -> None:
    run = runs["Refused"]
    page.goto(f"/runs/flow-run/{run['id']}")
    page.get_by_text("3,985 rows keep the contract, 33 in quarantine").wait_for()
    said = [each["message"] for each in logs(shell, run["id"])]
    assert sum("is not promoted; version 1 stays the champion" in each for each in said) == 2
    assert not any("Traceback" in each for each in said)


def test_the_gates_are_a_table_with_the_refusing_one_first(page: Any, shell: Shell, runs: dict[str, Any]) -> None:
    page.goto(artifacts(shell, runs["Refused"])["gates"])
    row = page.locator("tbody tr").first
    row.wait_for()
    assert [cell.strip() for cell in row.locator("td").all_inner_texts()][:3] == [
        "floor roc_auc",
        "NO",
        "at least 0.99",
    ]


def test_the_model_card_has_its_pictures(page: Any, shell: Shell, runs: dict[str, Any]) -> None:
    page.goto(artifacts(shell, runs["Promoted"])["model-card-churn"])
    picture = page.get_by_alt_text("confusion matrix")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert page.get_by_role("heading", name="churn version 1").is_visible()


def test_the_summary_says_the_verdict_first_and_where_the_report_is(
    page: Any, shell: Shell, runs: dict[str, Any]
) -> None:
    page.goto(artifacts(shell, runs["Refused"])["summary-customers"])
    page.get_by_role("heading", name="Refused: churn version 1 is not promoted").wait_for()
    assert page.get_by_text("report.html").is_visible()


def test_a_run_is_started_in_the_form_and_a_worker_refuses_it_too(page: Any, shell: Shell, deployment: str) -> None:
    page.goto(f"{deployment}/run")
    page.get_by_text("Settings applied over the file").wait_for()
    page.get_by_text("Add item").click()
    page.locator("textarea").nth(1).fill(REFUSING)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/deployments/deployment/**tab=Runs")
    (run,) = [each for each in flow_runs(shell) if each["deployment_id"] and not each["auto_scheduled"]]
    assert run["parameters"]["overrides"] == [REFUSING]
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "headrace", "--type", "process"]
    worker = [*command, "--run-once"]
    done = subprocess.run(worker, check=True, cwd=ROOT, env=shell.environment, capture_output=True, timeout=200)
    ended = httpx.get(f"{shell.variables['PREFECT_API_URL']}/flow_runs/{run['id']}").json()
    assert (ended["state_name"], ended["state_type"]) == ("Refused", "FAILED"), done.stderr
    said = [each["message"] for each in logs(shell, run["id"])]
    assert not any("Traceback" in each for each in said)
    assert any(each.startswith("validate ") for each in said)


def talk(number: int) -> int:
    logging.getLogger("tasks.somewhere").info("partition %d", number)
    return number


@flow
def talking() -> None:
    with run_log():
        logging.getLogger("tasks.here").info("from the flow")
        thread = threading.Thread(target=logging.getLogger("tasks.there").info, args=("from a thread",))
        thread.start()
        thread.join()
        with start_cluster(1, 1) as cluster:
            cluster.map(talk, [1, 2], lambda amount=1: None)


def test_threads_and_dask_workers_are_in_the_runs_log(shell: Shell) -> None:
    with temporary_settings({PREFECT_API_URL: shell.variables["PREFECT_API_URL"]}):
        state = talking(return_state=True)
    run = str(state.state_details.flow_run_id)
    wanted = ["from a thread", "from the flow", "worker 0: partition 1", "worker 0: partition 2"]
    deadline = time.monotonic() + 20
    said: list[str] = []
    while said != wanted and time.monotonic() < deadline:
        said = sorted(each["message"] for each in logs(shell, run) if each["name"].startswith("tasks."))
        time.sleep(0.2)
    assert said == wanted

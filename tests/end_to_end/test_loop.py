"""The whole circle, with real parts: serve, traffic shifts, alarm, retrain, promote, hot reload, metrics recover."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pyarrow.dataset as ds
import pytest

from tests.end_to_end.conftest import Shell
from tests.end_to_end.prefect_calls import Server
from tests.end_to_end.receiver import Receiver, receiving, wait_for
from tests.end_to_end.shoppers import Asked, Visit, auc, infer, visits, write_shop, write_visits

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

POOL = "loop"
# A check of these few columns needs about 240.
ROWS = 500


@contextmanager
def worker(shell: Shell) -> Iterator[None]:
    """Run a worker that looks for work every second."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    environment = {**shell.environment, "PREFECT_WORKER_QUERY_SECONDS": "1"}
    with (shell.folder / "worker.log").open("w") as log:
        process = subprocess.Popen(command, cwd=shell.folder, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()


@contextmanager
def endpoint(shell: Shell) -> Iterator[httpx.Client]:
    """Run the endpoint with its samples on."""
    server = shell.start("serve", "--config", "serve.yaml", "--port", "0")
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        with httpx.Client(base_url=f"http{line.split('http')[1].split()[0]}", timeout=30) as client:
            yield client
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)


def asked(client: httpx.Client, found: Sequence[Visit], name: str) -> Asked:
    """Ask the endpoint about visits, a request each."""
    versions, scores = set(), []
    for number, visit in enumerate(found):
        answer = client.post("/v2/models/buys/infer", json=infer(visit, f"{name}-{number}"))
        assert answer.status_code == 200, answer.text
        said = answer.json()
        versions.add(said["model_version"])
        scores.append(next(each["data"] for each in said["outputs"] if each["name"] == "probabilities")[1])
    assert len(versions) == 1
    return Asked(versions.pop(), tuple(scores))


def sampled(folder: Path, version: str) -> int:
    """Return how many rows of a version the samples hold."""
    below = folder / "samples" / "model=buys" / f"version={version}"
    return ds.dataset(below, format="parquet").count_rows() if below.is_dir() else 0


def write_labels(path: Path, found: Sequence[Visit], name: str) -> None:
    """Write what turned out to be true of visits, by the requests' ids."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["request_id", "bought"])
        writer.writerows([f"{name}-{number}", str(visit["bought"]).lower()] for number, visit in enumerate(found))


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving("/secret-path") as found:
        yield found


@pytest.fixture(scope="module")
def shop(shell: Shell, receiver: Receiver) -> Shell:
    """A project whose first model is the champion, deployed with its watch."""
    shop = replace(shell, variables={**shell.variables, "SHOPPERS_HOOK": receiver.url})
    write_shop(shop.folder)
    done = shop.run("run", "shoppers.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["version"] == "1"
    done = shop.run("deploy", "shoppers.yaml", "--pool", POOL)
    assert done.returncode == 0, done.stderr
    return shop


def check_that_alarms(server: Server, watch: str) -> None:
    """Look at the traffic, and see what the check's page shows."""
    check = server.ended(server.start(watch))
    assert (check["state"]["type"], check["state"]["name"]) == ("COMPLETED", "Drifted"), server.log(check["id"])
    assert "minutes" in check["state"]["message"]
    assert "a run of the pipeline is asked for" in check["state"]["message"]
    shown = server.artifacts(check["id"])
    assert {"drift", "drift-tests", "drift-report"} <= shown.keys()
    assert "data:image/svg+xml;base64," in shown["drift-report"]["data"]
    assert "roc_auc" in shown["drift-report"]["data"]


def run_that_drift_starts(server: Server, pipeline: str) -> None:
    """Wait until the automation has started the pipeline and it has promoted; its page says why it ran."""
    wait_for(lambda: server.runs_of(pipeline), "the run that drift starts")
    run = server.ended(server.runs_of(pipeline)[0]["id"])
    assert run["state"]["name"] == "Promoted", server.log(run["id"])
    assert {"drift", "trigger:drift", "pipeline:shoppers"} <= set(run["tags"])
    assert run["parameters"]["cause"].startswith("drift: buys version 1: ")
    assert "started because of drift: buys version 1" in server.log(run["id"])


def verdicts(shop: Shell) -> list[str]:
    """Return what the checks came to, from their reports on disk."""
    found = (shop.folder / "home" / "drift" / "shoppers").glob("*/report.json")
    return sorted(json.loads(path.read_bytes())["verdict"] for path in found)


def test_drift_retrains_and_the_endpoint_is_good_again(shop: Shell, prefect_api: str) -> None:
    server, later = Server(prefect_api), visits(ROWS, 2, later=True)
    pipeline = server.deployment("data-to-deployment/shoppers")["id"]
    watch = server.deployment("drift-watch/shoppers")["id"]
    with endpoint(shop) as client, worker(shop):
        before = asked(client, later, "later")
        assert before.version == "1"
        write_labels(shop.folder / "bought.csv", later, "later")
        wait_for(lambda: sampled(shop.folder, "1") == ROWS, "the samples of version 1")
        # The source is the last period: the new one's visits take the place of the first one's.
        write_visits(shop.folder / "visits" / "second.csv", visits(3000, 3, later=True))
        (shop.folder / "visits" / "first.csv").unlink()
        check_that_alarms(server, watch)
        run_that_drift_starts(server, pipeline)
        wait_for(lambda: asked(client, later[:1], "look").version == "2", "the new version at the endpoint")
        fresh = visits(ROWS, 4, later=True)
        after = asked(client, fresh, "fresh")
        truth = [[visit["bought"] for visit in each] for each in (later, fresh)]
        assert auc(after.scores, truth[1]) > auc(before.scores, truth[0]) + 0.3
        wait_for(lambda: sampled(shop.folder, "2") >= ROWS, "the samples of version 2")
        again = server.ended(server.start(watch))
        assert again["state"]["name"] == "NoDrift", again["state"]["message"]
    assert len(server.runs_of(pipeline)) == 1
    assert verdicts(shop) == ["Drifted", "NoDrift"]


def test_an_alarm_tells_nobody_twice(shop: Shell, prefect_api: str, receiver: Receiver) -> None:
    alarms = Server(prefect_api).events("headrace.drift.detected")
    (event,) = [each for each in alarms if each["resource"]["prefect.resource.id"] == "headrace.model.buys"]
    assert event["payload"]["rows"] == ROWS
    wait_for(lambda: len(receiver.messages) >= 2, "both messages")
    drift, promoted = sorted(receiver.messages, key=lambda message: message["outcome"])
    assert (drift["outcome"], promoted["outcome"]) == ("drift", "promoted")
    assert drift["message"].startswith("buys version 1: ")
    assert drift["text"].startswith("shoppers: the traffic has drifted (shoppers-drift-")
    assert promoted["state"] == "Promoted"
    assert "/runs/flow-run/" in promoted["url"]
    assert "secret-path" not in (shop.folder / "worker.log").read_text()

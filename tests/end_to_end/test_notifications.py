"""Receivers of a real Prefect server's automations: each outcome once, and nobody waits for one who does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.end_to_end.conftest import Shell, free_port
from tests.end_to_end.customers import PIPELINE, write_project
from tests.end_to_end.prefect_calls import Server
from tests.end_to_end.receiver import Receiver, receiving, wait_for

pytestmark = pytest.mark.integration

ALL = "[promoted, refused, contract_broken, leak, failed, crashed, cancelled]"
NOTIFY = f"""\
notify:
  - {{webhook: 'env:DOWN_HOOK', on: {ALL}}}
  - {{webhook: 'env:SLOW_HOOK', on: {ALL}}}
  - {{webhook: 'env:GOOD_HOOK', on: {ALL}}}
"""
ENDS = {
    "promoted": ("COMPLETED", "Promoted"),
    "refused": ("FAILED", "Refused"),
    "contract_broken": ("FAILED", "ContractBroken"),
    "leak": ("FAILED", "LeakFound"),
    "failed": ("FAILED", "Failed"),
    "crashed": ("CRASHED", "Crashed"),
    "cancelled": ("CANCELLED", "Cancelled"),
}
MESSAGE = 'a "quoted" <message>\nof two lines & {{ braces }}'


@pytest.fixture(scope="module")
def good() -> Iterator[Receiver]:
    with receiving("/good-secret") as found:
        yield found


@pytest.fixture(scope="module")
def slow() -> Iterator[Receiver]:
    with receiving("/slow") as found:
        found.slow.clear()
        yield found


@pytest.fixture(scope="module")
def project(shell: Shell, good: Receiver, slow: Receiver) -> Shell:
    write_project(shell.folder, rows=200)
    (shell.folder / "customers.yaml").write_text(PIPELINE + NOTIFY)
    down = f"http://127.0.0.1:{free_port()}/down"
    hooks = {"GOOD_HOOK": good.url, "SLOW_HOOK": slow.url, "DOWN_HOOK": down}
    return replace(shell, variables={**shell.variables, **hooks})


@pytest.fixture(scope="module")
def server(prefect_api: str) -> Server:
    return Server(prefect_api)


def ours(server: Server) -> dict[str, Any]:
    return {each["name"]: each["id"] for each in server.automations() if each["name"].startswith("headrace: customers")}


def test_each_outcome_arrives_once_though_others_do_not_answer(
    project: Shell, server: Server, good: Receiver, slow: Receiver
) -> None:
    done = project.run("deploy", "customers.yaml", "--pool", "nobody")
    assert done.returncode == 0, done.stderr
    deployment = server.deployment("data-to-deployment/customers")["id"]
    runs = {}
    for outcome, (kind, name) in ENDS.items():
        runs[outcome] = server.start(deployment)
        server.put(runs[outcome], kind, name, MESSAGE)
        assert server.run(runs[outcome])["state"]["name"] == name
    wait_for(lambda: len(good.messages) >= len(ENDS), "all messages")
    assert sorted(good.outcomes()) == sorted(ENDS)
    assert set(good.types) == {"application/json"}
    for message in good.messages:
        run = runs[message["outcome"]]
        assert (message["pipeline"], message["model"], message["message"]) == ("customers", "churn", MESSAGE)
        assert message["state"] == ENDS[message["outcome"]][1]
        assert message["url"].endswith(f"/runs/flow-run/{run}")
        assert message["text"].startswith("customers: ")
        assert message["text"].endswith(f": {MESSAGE}\n{message['url']}")
    slow.slow.set()


def test_deploying_again_changes_nothing_and_touches_nobody_elses(project: Shell, server: Server) -> None:
    before = ours(server)
    assert sorted(before) == [f"headrace: customers: notify {number}" for number in (1, 2, 3)]
    trigger = {"type": "event", "posture": "Reactive", "expect": ["nothing"], "threshold": 1, "within": 0}
    others = ["headrace: customers-too: notify 1", "somebody's own"]
    for name in others:
        server.ask("/automations/", {"name": name, "trigger": trigger, "actions": [{"type": "do-nothing"}]})
    (project.folder / "customers.yaml").write_text(PIPELINE + "\n".join(NOTIFY.splitlines()[:2]))
    assert project.run("deploy", "customers.yaml", "--pool", "nobody").returncode == 0
    name = "headrace: customers: notify 1"
    assert {each: known for each, known in ours(server).items() if each not in others} == {name: before[name]}
    assert set(others) <= {each["name"] for each in server.automations()}


def test_a_webhook_that_is_not_there_is_refused_before_anything_is_asked(project: Shell) -> None:
    bare = replace(project, variables={key: value for key, value in project.variables.items() if key != "DOWN_HOOK"})
    done = bare.run("deploy", "customers.yaml", "--pool", "nobody")
    assert done.returncode == 2
    assert "notify.0.webhook: the environment variable DOWN_HOOK is not set" in done.stderr

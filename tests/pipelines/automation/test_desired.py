"""Which automations a config asks for, without a server."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect.events.actions import CallWebhook, RunDeployment

from pipelines.automation.naming import block_name, block_prefix, owns
from pipelines.automation.sync import desired
from pipelines.scheduling.deployments import Deployed
from pipelines.watch import event
from pipelines.watch.config import WatchConfig
from pipelines.watch.event import DRIFT_DETECTED, SAID, Retraining, drift_event, retraining
from pipelines.watch.memory import Memory
from tasks.drift.report import DriftReport, TestResult
from tests.pipelines.watch.test_watch_config import opened

RUN, WATCH, BLOCK = (UUID(int=number) for number in (1, 2, 3))
DEPLOYED = Deployed(
    "data-to-deployment/customers", "customers", "churn", RUN, "http://ui/deployments/deployment/1", WATCH
)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOTIFY = "notify: [{webhook: env:HOOK, on: [refused, failed]}]\n"


def test_a_config_without_sections_asks_for_nothing(tmp_path: Path) -> None:
    assert desired(opened(tmp_path, ""), DEPLOYED, []) == []
    assert desired(opened(tmp_path, "watch: {samples: s, retrain: false}\n"), DEPLOYED, []) == []


def test_drift_starts_the_deployment(tmp_path: Path) -> None:
    (found,) = desired(opened(tmp_path, "watch: {samples: s}\n"), DEPLOYED, [])
    assert found.name == "headrace: customers: retrain on drift"
    trigger = found.trigger.model_dump()
    assert trigger["expect"] == {DRIFT_DETECTED}
    assert trigger["match"] == {
        "prefect.resource.id": "headrace.model.churn",
        "headrace.pipeline": "customers",
        "headrace.retrain": "due",
    }
    (action,) = found.actions
    assert isinstance(action, RunDeployment)
    assert action.deployment_id == RUN
    assert action.parameters is not None
    assert action.parameters["cause"]["template"] == "{{ event.payload['cause'] }}"


def test_a_receiver_is_told_of_both_deployments_runs(tmp_path: Path) -> None:
    config = opened(tmp_path, NOTIFY)
    (found,) = desired(config, DEPLOYED, [BLOCK])
    assert found.name == "headrace: customers: notify 1"
    trigger = found.trigger.model_dump()
    assert trigger["expect"] == {"prefect.flow-run.Refused", "prefect.flow-run.Failed"}
    assert trigger["match_related"]["prefect.resource.id"] == [f"prefect.deployment.{each}" for each in (RUN, WATCH)]
    (action,) = found.actions
    assert isinstance(action, CallWebhook)
    assert action.block_document_id == BLOCK
    assert '"http://ui/runs/flow-run/" ~ flow_run.id' in action.payload
    assert "@" not in action.payload
    assert desired(config, DEPLOYED, [BLOCK]) == [found]


def test_a_pipeline_knows_its_own() -> None:
    assert owns("a", "headrace: a: notify 1")
    assert not any(owns("a", name) for name in ("headrace: a-b: notify 1", "headrace: ab: x", "a: notify 1", "mine"))
    assert block_name("a_b", 0) != block_name("a-b", 0)
    assert not block_name("a-b", 0).startswith(block_prefix("a"))


def alarm() -> DriftReport:
    test = TestResult(
        series="age",
        of="record",
        test="ks",
        statistic=0.3,
        threshold=0.1,
        p_value=1e-9,
        alarm=True,
        since=NOW,
        said="higher",
    )
    return DriftReport(
        model="churn",
        version="3",
        digest="0" * 64,
        rows=700,
        begin=NOW,
        end=NOW,
        alarm_rate=0.0005,
        drift=True,
        alarms=(test,),
        tests=(test,),
        series=(),
        performance=None,
        notes=(),
    )


@pytest.mark.parametrize("wanted", ["due", "off", "cooling", "running"])
def test_the_event_says_what_drifted_and_whether_a_run_is_due(wanted: Retraining) -> None:
    event = drift_event(alarm(), "age drifted", "customers", wanted, {"deployment": WATCH})
    assert event.resource.id == "headrace.model.churn"
    assert event.resource["headrace.retrain"] == wanted
    assert event.related[0].id == f"prefect.deployment.{WATCH}"
    assert event.payload["message"] == f"age drifted; {SAID[wanted]}"
    assert event.payload["drifted"] == [
        {"drifted": "age", "what": "higher", "how_much": "KS 0.3, chance 0.1", "since": "2026-05-01 12:00 UTC"}
    ]
    # Told twice it is one event.
    assert drift_event(alarm(), "age drifted", "customers", wanted, {}).id == event.id


def test_no_second_run_within_the_cooldown() -> None:
    watch = WatchConfig(samples="s", cooldown="2h")
    asked = Memory(retraining_at=datetime(2026, 5, 1, 10, 0, 1, tzinfo=UTC))
    assert retraining(watch, "customers", asked, NOW) == "cooling"
    assert retraining(watch.model_copy(update={"retrain": False}), "customers", Memory(), NOW) == "off"


def test_a_clock_that_was_far_ahead_does_not_hold_up_a_run_for_years(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle:
        def read_flow_runs(self, **_: object) -> list[object]:
            return []

    monkeypatch.setattr(event, "get_client", lambda **_: nullcontext(Idle()))
    watch = WatchConfig(samples="s", cooldown="2h")
    ahead, moment = (Memory(retraining_at=NOW + each) for each in (timedelta(days=3650), timedelta(seconds=5)))
    assert retraining(watch, "customers", ahead, NOW) == "due"
    assert retraining(watch, "customers", moment, NOW) == "cooling", "two machines' clocks differ"

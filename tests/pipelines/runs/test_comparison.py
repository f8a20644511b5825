from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.runs.comparison import compared
from pipelines.runs.folders import RunName
from pipelines.runs.record import RunRecord
from tasks.errors import IntegrityError
from tests.pipelines.runs.homes import BROKEN, KILLED, OLD, REFUSED, home_of_runs


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return home_of_runs(tmp_path)


def record(home: Path, run: str, pipeline: str = "flights") -> RunRecord:
    return RunRecord.of(home, RunName(run, pipeline))


def test_verdicts_are_what_the_folders_hold(home: Path) -> None:
    found = [record(home, run) for run in (OLD, REFUSED, BROKEN)] + [record(home, KILLED, "houses")]
    assert [each.verdict for each in found] == ["promoted", "refused", "contract broken", "unfinished"]
    assert [each.headline for each in found] == [("roc_auc", 0.74), ("roc_auc", 0.7512), None, None]
    assert [each.row["seconds"] for each in found] == [None, 12.5, 12.5, None]
    assert found[1].row["when"] == "2026-01-02T08:00:00+00:00"
    assert found[1].partition == "2026-01"


def test_only_settings_that_differ_are_told(home: Path) -> None:
    found = compared([record(home, OLD), record(home, REFUSED)])
    assert found["config"] == {"train.rounds": [None, 3], "train.seed": [1, 2]}


def test_metrics_stand_with_their_intervals_in_their_order(home: Path) -> None:
    metrics = compared([record(home, OLD), record(home, REFUSED)])["metrics"]
    assert list(metrics) == ["roc_auc", "log_loss"]
    assert metrics["roc_auc"] == [
        {"value": 0.74, "low": None, "high": None},
        {"value": 0.7512, "low": 0.7463, "high": 0.7561},
    ]


def test_data_and_gates_are_of_the_report_or_of_the_references(home: Path) -> None:
    found = compared([record(home, OLD), record(home, REFUSED), record(home, BROKEN)])
    assert found["data"]["rows raw"] == [10, None, None]
    assert found["data"]["raw digest"][0] == "aa" * 32
    assert found["data"]["rows in quarantine"] == [None, 46, None]
    assert found["gates"]["gain roc_auc"][1] == {
        "passed": False,
        "comparison": ">=",
        "bound": 0.001,
        "measured": -0.0006,
    }


def test_a_torn_document_is_named(home: Path) -> None:
    (home / "runs" / "flights" / OLD / "summary.json").write_text('{"status": ')
    with pytest.raises(IntegrityError, match=r"summary\.json: no JSON document"):
        _ = record(home, OLD).verdict

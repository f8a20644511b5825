from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.artifacts.card import card
from pipelines.artifacts.links import ENDPOINT_URL, RUNS_URL
from pipelines.artifacts.summary import Ended, summary
from tasks.report.inputs import ReportInputs
from tests.tasks.report.example import ACCOUNTING, GATES, example_inputs

FOLDER = Path("/home/me/.headrace/runs/flights/20260101-000000-abc")
LINEAGE = {
    "bundle": {"model": "flight-delay", "version": "3", "digest": "ef" * 32},
    "contract": {"name": "flights", "version": "1.0.0", "digest": "ab" * 32},
    "data": {"source": "data/flights.parquet", "raw": "cd" * 32, "clean": "ce" * 32},
    "config": {"target": "late"},
}


@pytest.fixture(autouse=True)
def no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT_URL, raising=False)
    monkeypatch.delenv(RUNS_URL, raising=False)


def refused() -> ReportInputs:
    return example_inputs(lineage=LINEAGE)


def promoted() -> ReportInputs:
    held = tuple(gate for gate in GATES if gate.passed)
    return example_inputs(lineage=LINEAGE, promoted=True, gates=held, champion_version=3)


def ended(told: ReportInputs) -> Ended:
    return Ended(told, "flights", FOLDER, FOLDER / "report.html", "mlp", FOLDER / "data_docs" / "index.html")


def test_a_refusal_comes_first_with_the_gate_what_it_wanted_and_what_it_got() -> None:
    lines = summary(ended(refused())).splitlines()
    assert lines[0] == "# Refused: flight-delay version 3 is not promoted"
    assert lines[2] == "1 of 4 gates did not hold; version 2 stays the champion."
    (row,) = [line for line in lines if line.startswith("| gain roc_auc")]
    assert row.startswith("| gain roc_auc | at least 0.001 | -0.0006 | 0.0016 |")
    assert not any("parity label_flips" in line for line in lines)


def test_a_promotion_comes_first_and_names_no_gate() -> None:
    text = summary(ended(promoted()))
    assert text.startswith("# Promoted: flight-delay version 3 is the champion\n\nAll 3 gates held.")
    assert "at least" not in text


def test_the_summary_accounts_for_every_row_and_names_the_gain() -> None:
    text = summary(ended(refused()))
    assert f"| came in | {ACCOUNTING.rows_in:,} |" in text
    assert f"| in quarantine | {ACCOUNTING.in_quarantine:,} |" in text
    assert "dropped for nulls" not in text
    assert "**roc_auc 0.7512** (0.7463 to 0.7561) on the test split; logistic 0.7031; majority 0.5." in text
    assert "Gain over the champion before, version 2: -0.0006 (-0.0021 to 0.0009)." in text


def test_the_summary_links_to_what_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "](" not in summary(ended(refused()))
    monkeypatch.setenv(ENDPOINT_URL, "http://models:8080")
    monkeypatch.setenv(RUNS_URL, "http://files")
    text = summary(ended(refused()))
    assert "(http://models:8080/#flight-delay)" in text
    assert "(http://files/flights/20260101-000000-abc/data_docs/index.html)" in text


def test_the_card_has_every_metric_beside_baselines_and_champion_and_its_pictures() -> None:
    text = card(refused(), "mlp")
    assert "**Refused; version 2 stays the champion.**" in text
    assert "| learned by | mlp |" in text
    assert "| roc_auc | 0.7512 | 0.7463 to 0.7561 | 0.7031 | 0.5 | 0.7518 | -0.0006 (-0.0021 to 0.0009) |" in text
    assert "![confusion matrix](data:image/svg+xml;base64," in text


def test_the_card_of_a_first_version_has_no_champion_beside_it() -> None:
    told = promoted()
    alone = told.model_copy(update={"evaluated": told.evaluated.model_copy(update={"challenge": None})})
    text = card(alone, "trees")
    assert "**Promoted: it is the champion.**" in text
    assert "champion before" not in text

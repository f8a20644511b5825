from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.report_groups import explained, sliced
from tasks.references import ExplanationRef, SlicesRef
from tasks.report.report import render
from tasks.storage import write_json
from tests.tasks.report.example import plain_inputs
from tests.tasks.report.page import Page

GROUP = {"group": "<b>", "rows": 150, "loss": 0.9, "metrics": {"roc_auc": 0.55}}
SLICES: dict[str, Any] = {
    "problem": "binary",
    "rows": 1000,
    "loss": "log loss",
    "min_rows": 100,
    "columns": {"carrier": {"groups": [GROUP], "left_out": {"groups": 2, "rows": 30, "names": ["x", "y"]}}},
    "search": {
        "columns": ["carrier", "origin"],
        "tried": 1234,
        "confidence": 0.95,
        "found": [
            {
                "slice": [["carrier", "<b>"], ["origin", "JFK"]],
                "rows": 150,
                "loss": 0.9,
                "rest": 0.5,
                "interval": [0.3, 0.5],
                "metrics": {"roc_auc": 0.55, "accuracy": 0.6},
            }
        ],
    },
    "fairness": {
        "sex": {
            "groups": [{"group": "f", "rows": 400, "selection_rate": 0.5, "true_positive_rate": None}],
            "measures": {"equalized_odds_difference": {"value": 0.1234, "class": "late"}},
            "left_out": [{"group": "x", "rows": 5}],
        }
    },
}
EXPLANATION: dict[str, Any] = {
    "importance": {
        "metric": "log_loss",
        "value": 0.5,
        "rows": 2000,
        "repeats": 5,
        "left_out": 3,
        "columns": [{"column": f"c{at}", "mean": 1 / (at + 1), "deviation": 0.01} for at in range(30)],
    },
    "examples": {
        "method": "TreeSHAP",
        "loss": "log loss",
        "background": 500,
        "rows": [
            {
                "row": 17,
                "chosen": "random",
                "loss": 0.1,
                "of": "log odds of True",
                "score": 1.5,
                "base": 0.25,
                "columns": [{"column": f"c{at}", "adds": 0.125} for at in range(10)],
                "remainder": 0.0,
            }
        ],
    },
}


@pytest.fixture
def written(tmp_path: Path) -> tuple[SlicesRef, ExplanationRef]:
    write_json(tmp_path / "s" / "slices.json", SLICES)
    write_json(tmp_path / "e" / "explanation.json", EXPLANATION)
    return SlicesRef(path=str(tmp_path / "s"), digest="s"), ExplanationRef(path=str(tmp_path / "e"), digest="e")


def test_the_report_shows_slices_fairness_and_importance(written: tuple[SlicesRef, ExplanationRef]) -> None:
    inputs = plain_inputs(sliced=sliced(written[0]), explained=explained(written[1]))
    page = Page(render(inputs))
    sections = [
        attributes["id"] for tag, attributes in page.elements if tag in {"section", "div"} and "id" in attributes
    ]
    assert [name for name in sections if name in {"slices", "fairness", "explanation"}] == [
        "slices", "fairness", "explanation",
    ]  # fmt: skip
    for said in (
        "carrier: <b> and origin: JFK",
        "1,234 slices of at least 100 rows were tried",
        "2 groups of fewer than 100 rows are left out, 30 rows together: x, y",
        "equalized odds, difference (late) 0.1234",
        "Too small to be compared: x (5)",
        "By how much log loss gets worse than 0.5000",
        "3 other columns move the scores less and were not permuted.",
        "The most important of 30 columns is c0, with 1.",
        "c7 +0.1250",
    ):
        assert said in page.said, said
    assert sum(attributes.get("id") == "importance-title" for _, attributes in page.elements) == 1


def test_what_was_not_asked_for_is_not_shown(written: tuple[SlicesRef, ExplanationRef], tmp_path: Path) -> None:
    nothing = {**SLICES, "fairness": {}, "columns": {}}
    nothing["search"] = {**SLICES["search"], "columns": [], "found": []}
    write_json(tmp_path / "s" / "slices.json", nothing)
    write_json(tmp_path / "e" / "explanation.json", {"importance": None, "examples": None})
    page = Page(render(plain_inputs(sliced=sliced(written[0]), explained=explained(written[1]))))
    assert "No slices were looked for." in page.said
    assert "fairness" not in {attributes.get("id") for _, attributes in page.elements}


def test_a_row_adds_up_though_only_the_first_columns_are_shown(written: tuple[SlicesRef, ExplanationRef]) -> None:
    (row,) = explained(written[1]).rows
    assert len(row.columns) == 8
    assert row.base + sum(adds for _, adds in row.columns) + row.others == pytest.approx(row.score)

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.errors import DiskFullError
from tasks.report.evaluated import Challenge, Compared, Curves, Evaluated
from tasks.report.inputs import Accounting, GateLine, History, RuleLine
from tasks.report.report import render, run_report
from tests.tasks.report.example import (
    CERTIFICATE,
    example_evaluated,
    example_figures,
    example_inputs,
    plain_inputs,
)
from tests.tasks.report.page import Page, example_page

HOSTILE = "</style><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>\"'&$x^{"


def _outside(text: str) -> list[str]:
    """Return everything that a browser would fetch: all but `#...` and `data:` in what loads, and CSS imports."""
    loads = re.findall(r"""(?:\b(?:src|href|data|action|poster|srcset)\s*=\s*["']?|url\(\s*["']?)([^"'\s)>]*)""", text)
    found = [target for target in loads if target and not target.startswith(("#", "data:"))]
    return found + re.findall(r"@import[^;]*|<(?:script|iframe|object|embed|link|base)\b[^>]*", text)


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    text = run_report(example_inputs(), tmp_path / "report.html").read_text()
    assert _outside(text) == []
    without_namespaces = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|//[a-z]", without_namespaces)
    assert "default-src 'none'" in text


@pytest.mark.parametrize(
    "load",
    [
        '<img src="http://a.example/x.png">',
        "<img src=//a.example/x>",
        '<link rel="stylesheet" href="https://a.example/x.css">',
        "<style>@import 'x.css';</style>",
        "<p style=\"background: url('https://a.example/x')\">",
        "<script>1</script>",
        '<use href="other.svg#x">',
    ],
)
def test_the_check_for_outside_loads_can_fail(load: str) -> None:
    assert _outside(load) != []


def test_the_sections_stand_in_order() -> None:
    page = Page(example_page())
    sections = [attributes["id"] for tag, attributes in page.elements if tag == "section"]
    assert sections == ["verdict", "quality", "data", "failures", "parity", "next", "making"]
    targets = {attributes["href"] for tag, attributes in page.elements if tag == "a"}
    assert targets == {"#main", *(f"#{section}" for section in sections[1:])}


def test_a_refusal_says_which_gate_and_by_how_much() -> None:
    said = Page(example_page()).said
    assert "Refused: flight-delay, version 3" in said
    assert "The champion stays version 2" in said
    assert "gain roc_auc: -0.0006 measured, at least 0.0010 needed, missed by 0.0016 (the champion has" in said
    assert "floor roc_auc: " not in said


def test_a_gate_that_could_not_be_measured_is_said() -> None:
    gate = GateLine(name="latency 1", passed=False, comparison="<=", bound=2.5, note="got nan")
    said = Page(render(plain_inputs(gates=(gate,), champion_version=None))).said
    assert "latency 1: not measured, at most 2.5000 needed (got nan)" in said
    assert "There is no champion" in said


def test_a_promotion_names_no_refusal() -> None:
    gate = GateLine(name="floor roc_auc", passed=True, comparison=">=", bound=0.745, measured=0.7512)
    said = Page(render(plain_inputs(promoted=True, champion_version=3, gates=(gate,)))).said
    assert "Promoted: flight-delay, version 3" in said
    assert "refused" not in said.split("Metrics", 2)[-1]


def test_the_headline_stands_against_champion_and_baselines() -> None:
    said = Page(example_page()).said
    assert "ROC-AUC, test split 0.7512 0.7463 to 0.7561 champion 0.7518 model is 0.0006 worse" in said
    assert "logistic 0.7031 model is 0.0481 better" in said


def test_a_lower_loss_is_better() -> None:
    said = Page(render(plain_inputs({"headline": "log_loss"}))).said
    assert "logistic 0.5012 model is 0.0291 better" in said
    assert "champion 0.4719 model is 0.0002 worse" in said


def test_hostile_values_stay_text(tmp_path: Path) -> None:
    accounting = Accounting(rows_in=2, kept=1, quarantined={HOSTILE: 1}, duplicates=0, splits={HOSTILE: 1})
    rule = RuleLine(id=HOSTILE, kind=HOSTILE, expected=HOSTILE, observed=HOSTILE, passed=False, examples=(HOSTILE,))
    inputs = example_inputs(
        model=HOSTILE,
        accounting=accounting,
        rules=(rule,),
        evaluated=example_evaluated(
            classes=(HOSTILE, "b"),
            curves=Curves(roc={HOSTILE: ([0.0, 1.0], [0.0, 1.0]), "b": ([0.0, 1.0], [0.0, 1.0])}),
            metrics={"test": {"roc_auc": 0.7, HOSTILE: 0.1}, HOSTILE: {"roc_auc": 0.5}},
            details=({"class": HOSTILE, HOSTILE: 1.0},),
            calibration={HOSTILE: HOSTILE},
            challenge=Challenge(
                champion=HOSTILE, said=HOSTILE, compared=(Compared(name=HOSTILE, champion=1, candidate=2, gain=1),)
            ),
            notes=(HOSTILE,),
            drawn=HOSTILE,
        ),
        gates=(GateLine(name=HOSTILE, passed=False, comparison=">=", bound=1, note=HOSTILE),),
        certificate={side: {**CERTIFICATE[side], HOSTILE: HOSTILE} for side in CERTIFICATE},
        documents=HOSTILE,
        latency={HOSTILE: 1.0},
        lineage={HOSTILE: {HOSTILE: HOSTILE}},
    )
    page = Page(run_report(inputs, tmp_path / "report.html").read_text())
    assert page.count("script") == page.count("img") == 0
    assert page.count("style") == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.said.count(HOSTILE) > 10


def test_broken_rules_come_first() -> None:
    said = Page(example_page()).said
    assert said.index("origin.enum enum one of") < said.index("flight_id.primary_key key unique")
    assert "3 rules, 2 of them broken" in said
    assert "12 rows failed XXX ewr" in said
    assert "warning ***" in said


def test_what_was_not_measured_is_left_out_or_said() -> None:
    accounting = Accounting(rows_in=1, kept=1, quarantined={}, duplicates=0, splits={"train": 1})
    page = Page(
        render(
            example_inputs(
                version=None,
                accounting=accounting,
                history=History(training=([], []), validation=([], [])),
                evaluated=Evaluated(headline="roc_auc", metrics={"test": {"roc_auc": 0.5}}),
                rules=(),
            )
        )
    )
    assert page.count("svg") == 1
    assert "No row was quarantined" in page.said
    assert "No loss was recorded" in page.said
    assert not {"#champion", "#calibration"} & {attributes.get("href") for _, attributes in page.elements}


def test_the_champion_is_set_beside_the_candidate() -> None:
    said = Page(example_page()).said
    assert "Both graphs on the same 49,200 rows. metric champion, version 2 candidate" in said
    assert "ROC-AUC 0.7518 0.7512 -0.0006 -0.0021 to 0.0009" in said


def test_calibration_shows_what_it_changed() -> None:
    said = Page(example_page()).said
    assert "expected calibration error (lower is better) 0.0312 0.0105" in said
    assert "ROC-AUC 0.7512 0.7512" not in said
    assert "thresholds.true 0.3100" in said


def test_each_class_has_its_line() -> None:
    said = Page(example_page()).said
    assert "class rows precision recall F1 ROC-AUC" in said
    assert "True 11,680 0.6150 0.3159 0.4174 –" in said  # noqa: RUF001


def test_numbers_have_plots_of_their_own() -> None:
    evaluated = Evaluated(
        headline="rmse",
        metrics={"test": {"rmse": 9.0, "r2": 0.8}, "mean": {"rmse": 30.0, "r2": 0.0}},
        intervals={"rmse": (8.5, 9.5)},
        figures=example_figures(),
    )
    history = History(training=([], []), validation=([10], [9.5]), metric="rmse", best_step=10)
    page = Page(render(example_inputs(evaluated=evaluated, history=history)))
    assert "root mean squared error (lower is better) 9.0000 8.5000 to 9.5000 30.0000" in page.said
    assert "mean 30.0000 model is 21.0000 better" in page.said
    assert {"Predicted and true", "Residuals", "Residuals by prediction"} <= set(page.words)
    assert page.count("svg") == 3 + 4


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert render(example_inputs()) == example_page()


def test_a_failed_write_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "report.html"
    out.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError):
        run_report(plain_inputs(), out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"duplicates": 3}, "10 rows came in but 11"),
        ({"splits": {"train": 3}}, "5 rows were kept but the splits hold 3"),
    ],
)
def test_rows_that_do_not_add_up_are_refused(change: dict[str, object], said: str) -> None:
    values: dict[str, object] = {
        "rows_in": 10,
        "kept": 5,
        "quarantined": {"a.enum": 2},
        "duplicates": 2,
        "without_target": 1,
        "splits": {"train": 5},
    }
    Accounting.model_validate(values)
    with pytest.raises(ValidationError, match=said):
        Accounting.model_validate(values | change)


@pytest.mark.parametrize(("promoted", "passed"), [(True, False), (False, True)])
def test_a_verdict_against_the_gates_is_refused(promoted: bool, passed: bool) -> None:
    gate = GateLine(name="floor roc_auc", passed=passed, comparison=">=", bound=0.7, measured=0.7)
    with pytest.raises(ValidationError, match="promoted is"):
        example_inputs(promoted=promoted, gates=(gate,))

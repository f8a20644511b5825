from __future__ import annotations

from typing import Any

import pytest

from tasks.report.advice import advice
from tasks.report.groups import Group, Sliced
from tasks.report.inputs import Accounting, GateLine, History, ReportInputs
from tests.tasks.report.example import GATES, METRICS, plain_inputs

HELD = tuple(gate for gate in GATES if gate.passed)


def promoted(evaluated: dict[str, Any] | None = None, **changes: Any) -> ReportInputs:
    return plain_inputs(evaluated, **{"promoted": True, "gates": HELD, **changes})


def told(inputs: ReportInputs) -> str:
    return "\n".join(f"{each.do} {each.why}" for each in advice(inputs))


def test_where_nothing_stands_out_it_is_to_be_served() -> None:
    (only,) = advice(promoted())
    assert "headrace serve" in only.do


@pytest.mark.parametrize(
    ("gate", "do"),
    [
        ("floor roc_auc", "until ROC-AUC reaches 0.9000 (`headrace search` tries settings)"),
        ("gain roc_auc", "`promote.gates.gain.roc_auc` asks for (the interval, -0.0021 to 0.0009, holds 0)"),
        ("gain log_loss", "`promote.gates.gain.log_loss` asks for."),
        ("parity test label_flips", "Do not serve this version"),
        ("trial max_difference", "Do not serve this version"),
        ("latency_ms batch 1", "`promote.gates.latency_ms`"),
        ("fairness sex demographic_parity", "Look at the groups under Fairness"),
        ("slices plan roc_auc", "Look at what slices plan roc_auc measures"),
    ],
)
def test_each_gate_that_refuses_has_its_remedy(gate: str, do: str) -> None:
    refused = GateLine(name=gate, passed=False, comparison=">=", bound=0.9, measured=0.5)
    first = advice(plain_inputs(gates=(refused,)))[0]
    assert do in first.do
    assert first.why == f"Gate {gate} refused: at least 0.9000 is needed, 0.5000 was measured."


def test_a_model_that_is_chance_is_told_so_and_no_lower_gate() -> None:
    refused = GateLine(name="floor roc_auc", passed=False, comparison=">=", bound=0.6, measured=0.52)
    metrics = {"test": {**METRICS["test"], "roc_auc": 0.52}, "majority": {"roc_auc": 0.5}}
    chance = {"metrics": metrics, "intervals": {"roc_auc": (0.47, 0.57)}}
    first = advice(plain_inputs(chance, gates=(refused,)))[0]
    assert "cannot be told from one that looks at no column" in first.do
    assert "promote.gates.floor" not in first.do
    surely = {**chance, "intervals": {"roc_auc": (0.51, 0.57)}}
    assert "promote.gates.floor.roc_auc" in advice(plain_inputs(surely, gates=(refused,)))[0].do


def test_a_linear_baseline_that_is_as_good_names_the_linear_model() -> None:
    metrics = {**METRICS, "logistic": {"roc_auc": 0.7512}}
    assert "`train.model: linear`" in told(promoted({"metrics": metrics}))


def test_a_model_no_better_than_a_baseline() -> None:
    metrics = {**METRICS, "logistic": {"roc_auc": 0.7512}}
    assert "logistic alone reaches 0.7512" in told(promoted({"metrics": metrics}))


@pytest.mark.parametrize(("count", "said"), [(2, True), (1, False)])
def test_quarantine_is_told_from_its_bound_on_with_its_first_rule(count: int, said: bool) -> None:
    rows = Accounting(
        rows_in=100, kept=100 - count, quarantined={"a.enum": count, "b": 0}, duplicates=0, splits={"t": 100 - count}
    )
    assert ("broke `a.enum`" in told(promoted(accounting=rows))) is said


def test_the_worst_slice_is_to_be_looked_at() -> None:
    worst = Group(name="plan: gold", rows=120, loss=0.9, rest=0.4, metrics={})
    found = Sliced(loss="log loss", metrics=(), searched="", tried=3, worst=(worst,))
    assert "Look at rows where plan: gold" in told(promoted(sliced=found))


def test_a_class_that_is_never_found() -> None:
    details = ({"class": "rare", "rows": 9, "recall": 0.0}, {"class": "none", "rows": 0, "recall": 0.0})
    assert "none was predicted right in: rare." in told(promoted({"details": details}))


@pytest.mark.parametrize(("error", "said"), [(0.051, True), (0.05, False)])
def test_bad_calibration_names_another_method(error: float, said: bool) -> None:
    metrics = {**METRICS, "test": {**METRICS["test"], "ece": error}}
    found = told(promoted({"metrics": metrics}))
    assert ("`calibrate.method: isotonic` (it is temperature now)" in found) is said


@pytest.mark.parametrize(("best", "said"), [(30, True), (20, False)])
def test_training_that_was_still_getting_better(best: int, said: bool) -> None:
    history = History(training=([], []), validation=([10, 20, 30], [0.5, 0.4, 0.3]), best_step=best)
    assert ("Train for longer" in told(promoted(history=history))) is said


def test_a_refusal_says_who_serves() -> None:
    assert "version 2 serves on" in advice(plain_inputs())[-1].do
    assert "nothing to serve" in advice(plain_inputs(champion_version=None))[-1].do

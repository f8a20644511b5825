from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.errors import ConfigError
from tasks.export.parity import Parity
from tasks.metrics.table import direction
from tasks.promotion.challenge import Challenge, Compared
from tasks.promotion.gates import GateConfig, GateOutcome, ParityGate, check_gates
from tests.tasks.promotion.conftest import LATENCY, certificate_of

METRICS = {"roc_auc": 0.8, "log_loss": 0.5, "accuracy": 0.75}


def challenge_of(
    champion: Mapping[str, float], *, width: float | None = None, recorded: str | None = None, groups: int | None = None
) -> Challenge:
    """Return the comparison with a champion of these metrics; each interval reaches so far to both sides."""
    compared = {}
    for name, before in champion.items():
        gain = direction(name) * (METRICS[name] - before)
        ends = None if width is None else (gain - width, gain + width)
        compared[name] = Compared(champion=before, candidate=METRICS[name], gain=gain, interval=ends)
    return Challenge(champion="3", metrics=compared, rows=1200, groups=groups, confidence=0.9, recorded=recorded)


def outcomes(
    config: GateConfig,
    *,
    champion: Challenge | None = None,
    metrics: Mapping[str, float] = METRICS,
    **cert: Any,
) -> dict[str, GateOutcome]:
    judged = check_gates(config, metrics, champion, certificate_of("b0", **cert))
    return {outcome.gate: outcome for outcome in judged}


@pytest.mark.parametrize(
    ("metric", "bound", "passed", "margin"),
    [
        ("roc_auc", 0.745, True, 0.055),
        ("roc_auc", 0.8, True, 0.0),
        ("roc_auc", 0.81, False, -0.01),
        ("log_loss", 0.6, True, 0.1),
        ("log_loss", 0.4, False, -0.1),
    ],
)
def test_a_floor_is_a_ceiling_where_lower_is_better(metric: str, bound: float, passed: bool, margin: float) -> None:
    outcome = outcomes(GateConfig(floor={metric: bound}))[f"floor {metric}"]
    assert outcome.passed is passed
    assert outcome.wanted == bound
    assert outcome.got == METRICS[metric]
    assert outcome.margin == pytest.approx(margin)
    assert outcome.comparison == ("<=" if metric == "log_loss" else ">=")


@pytest.mark.parametrize(
    ("metric", "before", "least", "passed"),
    [
        ("roc_auc", 0.79, 0.005, True),
        ("roc_auc", 0.799, 0.005, False),
        ("roc_auc", 0.82, -0.05, True),
        ("log_loss", 0.55, 0.01, True),
        ("log_loss", 0.45, 0.0, False),
    ],
)
def test_a_gain_is_for_the_better(metric: str, before: float, least: float, passed: bool) -> None:
    outcome = outcomes(GateConfig(gain={metric: least}), champion=challenge_of({metric: before}))[f"gain {metric}"]
    assert outcome.passed is passed
    assert outcome.got == pytest.approx(direction(metric) * (METRICS[metric] - before))


@pytest.mark.parametrize(
    ("least", "width", "passed"), [(0.005, 0.004, True), (0.005, 0.006, False), (-0.01, 0.012, True)]
)
def test_with_confidence_the_lower_end_of_the_interval_counts(least: float, width: float, passed: bool) -> None:
    config = GateConfig(gain={"roc_auc": least}, gain_confidence=0.9)
    outcome = outcomes(config, champion=challenge_of({"roc_auc": 0.79}, width=width))["gain roc_auc"]
    assert outcome.passed is passed
    assert outcome.got == pytest.approx(0.01 - width)
    assert str(outcome.note).endswith("; the interval's lower end counts")


def test_a_gain_is_told_in_words() -> None:
    found = challenge_of({"log_loss": 0.495}, width=0.02, groups=31)
    outcome = outcomes(GateConfig(gain={"log_loss": 0.0}), champion=found)["gain log_loss"]
    assert not outcome.passed
    assert outcome.note == (
        "on the same 1,200 rows in 31 groups the champion has 0.495, the candidate 0.5: 0.005 worse, "
        "90% of resamples between 0.025 worse and 0.015 better"
    )


def test_recorded_metrics_have_to_do_where_the_champion_cannot_answer() -> None:
    found = challenge_of({"roc_auc": 0.79}, recorded="it reads `week` (string), which in this data is not there")
    outcome = outcomes(GateConfig(gain={"roc_auc": 0.005}), champion=found)["gain roc_auc"]
    assert outcome.passed
    assert outcome.note == (
        "the champion has 0.79, the candidate 0.8, each on rows of its own: the champion cannot answer the "
        "candidate's, for it reads `week` (string), which in this data is not there"
    )
    sure = GateConfig(gain={"roc_auc": 0.005}, gain_confidence=0.9)
    refused = outcomes(sure, champion=found)["gain roc_auc"]
    assert not refused.passed
    assert refused.got is None
    assert "there is no interval, which gates.gain_confidence asks for" in str(refused.note)


def test_without_a_champion_there_is_nothing_to_gain_on() -> None:
    outcome = outcomes(GateConfig(gain={"roc_auc": 0.01}))["gain roc_auc"]
    assert outcome.passed
    assert outcome.got is None


@pytest.mark.parametrize("rows", ["test", "generated"])
@pytest.mark.parametrize(
    ("parity", "refused"),
    [
        (Parity(rows=9, max_difference=1.1e-5), "max_difference"),
        (Parity(rows=9, label_flips=1), "label_flips"),
        (Parity(rows=9, non_finite=1), "non_finite"),
    ],
)
def test_each_measure_of_parity_refuses_by_itself(rows: str, parity: Parity, refused: str) -> None:
    changed: dict[str, Any] = {rows: parity}
    judged = outcomes(GateConfig(), **changed)
    assert [gate for gate, outcome in judged.items() if not outcome.passed] == [f"parity {rows} {refused}"]


def test_parity_bounds_are_configured() -> None:
    config = GateConfig(parity=ParityGate(max_difference=1e-3, max_flips=2))
    assert all(o.passed for o in outcomes(config, test=Parity(rows=9, max_difference=1e-3, label_flips=2)).values())


def test_latency_is_judged_at_the_median() -> None:
    judged = outcomes(GateConfig(latency_ms={"1": 0.2, "256": 0.5}))
    assert judged["latency_ms batch 1"].passed
    assert judged["latency_ms batch 1"].got == LATENCY["1"]["p50"]
    assert not judged["latency_ms batch 256"].passed


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_no_number_never_passes(value: float) -> None:
    judged = outcomes(
        GateConfig(floor={"roc_auc": 0.0, "log_loss": 1.0}), metrics={"roc_auc": value, "log_loss": value}
    )
    assert not judged["floor roc_auc"].passed
    assert not judged["floor log_loss"].passed
    assert judged["floor roc_auc"].got is None


@pytest.mark.parametrize(
    ("config", "place"),
    [
        (GateConfig(floor={"roc_acu": 0.7}), r"gates\.floor\.roc_acu.*'roc_acu'"),
        (GateConfig(gain={"roc_acu": 0.0}), r"gates\.gain\.roc_acu"),
    ],
)
def test_an_unknown_metric_names_the_nearest(config: GateConfig, place: str) -> None:
    with pytest.raises(ConfigError, match=place) as caught:
        outcomes(config)
    assert "do: write 'roc_auc'" in str(caught.value)


def test_a_metric_that_the_champion_lacks_never_passes() -> None:
    refused = outcomes(GateConfig(gain={"roc_auc": -1.0}), champion=challenge_of({"accuracy": 0.7}))["gain roc_auc"]
    assert (refused.passed, refused.got) == (False, None)
    assert "cannot be compared by roc_auc" in str(refused.note)


def test_a_champion_of_something_else_is_never_gained_on() -> None:
    found = challenge_of({}, recorded="it predicts the number `y`, and the candidate the number `x`")
    refused = outcomes(GateConfig(gain={"roc_auc": -1.0}), champion=found)["gain roc_auc"]
    assert (refused.passed, refused.got) == (False, None)
    assert str(refused.note).endswith("be compared: it predicts the number `y`, and the candidate the number `x`")


@pytest.mark.parametrize("kind", ["floor", "gain"])
def test_a_metric_that_the_test_split_leaves_undefined_never_passes(kind: str) -> None:
    config = GateConfig.model_validate({kind: {"roc_auc": -1.0}})
    refused = outcomes(config, metrics={"accuracy": 1.0})[f"{kind} roc_auc"]
    assert (refused.passed, refused.got) == (False, None)
    assert "undefined" in str(refused.note)


def test_an_unmeasured_batch_size_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"latency_ms\.2.*1, 256"):
        outcomes(GateConfig(latency_ms={"2": 1.0}))


@pytest.mark.parametrize(
    "config",
    [
        {"ceiling": {}},
        {"latency_ms": {"1": -1}},
        {"parity": {"max_flips": -1}},
        {"floor": {"roc_auc": "high"}},
        {"gain_confidence": 1},
    ],
)
def test_a_config_typo_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateConfig.model_validate(config)


@given(bound=st.floats(-1, 2), value=st.floats(-1, 2), metric=st.sampled_from(["roc_auc", "log_loss"]))
def test_a_margin_is_negative_exactly_where_a_gate_refuses(bound: float, value: float, metric: str) -> None:
    outcome = outcomes(GateConfig(floor={metric: bound}), metrics={metric: value})[f"floor {metric}"]
    assert outcome.margin is not None
    assert outcome.passed is (outcome.margin >= 0)

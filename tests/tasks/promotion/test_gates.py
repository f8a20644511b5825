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
from tasks.promotion.gates import GateConfig, GateOutcome, ParityGate, check_gates
from tests.tasks.promotion.conftest import LATENCY, METRICS, certificate_of


def outcomes(
    config: GateConfig,
    *,
    champion: Mapping[str, float] | None = None,
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
    outcome = outcomes(GateConfig(gain={metric: least}), champion={metric: before})[f"gain {metric}"]
    assert outcome.passed is passed
    assert outcome.got == pytest.approx(abs(METRICS[metric] - before) * (1 if (outcome.got or 0) > 0 else -1))
    assert outcome.note == f"the champion has {before:.6g}, the candidate {METRICS[metric]:.6g}"


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


def test_a_metric_that_the_champion_lacks_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"the champion's evaluation.*accuracy"):
        outcomes(GateConfig(gain={"roc_auc": 0.0}), champion={"accuracy": 0.7})


def test_an_unmeasured_batch_size_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"latency_ms\.2.*1, 256"):
        outcomes(GateConfig(latency_ms={"2": 1.0}))


@pytest.mark.parametrize(
    "config",
    [{"ceiling": {}}, {"latency_ms": {"1": -1}}, {"parity": {"max_flips": -1}}, {"floor": {"roc_auc": "high"}}],
)
def test_a_config_typo_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateConfig.model_validate(config)


@given(bound=st.floats(-1, 2), value=st.floats(-1, 2), metric=st.sampled_from(["roc_auc", "log_loss"]))
def test_a_margin_is_negative_exactly_where_a_gate_refuses(bound: float, value: float, metric: str) -> None:
    outcome = outcomes(GateConfig(floor={metric: bound}), metrics={metric: value})[f"floor {metric}"]
    assert outcome.margin is not None
    assert outcome.passed is (outcome.margin >= 0)

from __future__ import annotations

from typing import Any

import pytest

from tasks.errors import ConfigError
from tasks.promotion.gates import GateConfig, GateOutcome
from tasks.promotion.group_gates import group_gates, require_group_gates
from tasks.slices.config import SlicesPlan

MEASURED: dict[str, Any] = {
    "min_rows": 100,
    "columns": {
        "carrier": {
            "groups": [
                {"group": "AA", "rows": 900, "metrics": {"roc_auc": 0.8, "log_loss": 0.4}},
                {"group": "UA", "rows": 150, "metrics": {"roc_auc": 0.6, "log_loss": 0.7}},
                {"group": "XX", "rows": 120, "metrics": {"log_loss": 0.1}},
            ]
        }
    },
    "fairness": {
        "sex": {"measures": {"demographic_parity_difference": {"value": 0.2}}},
        "age": {"measures": {"demographic_parity_ratio": {"value": 0.7, "class": "late"}}},
    },
}


def judged(**gates: Any) -> list[GateOutcome]:
    return list(group_gates(GateConfig.model_validate(gates), MEASURED))


@pytest.mark.parametrize(
    ("metric", "bound", "passed", "got"),
    [
        ("roc_auc", 0.6, True, 0.6),
        ("roc_auc", 0.65, False, 0.6),
        ("log_loss", 0.7, True, 0.7),
        ("log_loss", 0.5, False, 0.7),
    ],
)
def test_the_worst_group_counts(metric: str, bound: float, passed: bool, got: float) -> None:
    (outcome,) = judged(slices={"carrier": {metric: bound}})
    assert (outcome.gate, outcome.passed, outcome.got) == (f"slices carrier {metric}", passed, got)
    assert outcome.note is not None
    assert outcome.note.endswith("groups is UA, 150 rows")


def test_every_protected_column_must_be_fair() -> None:
    sex, age = judged(fairness={"demographic_parity_difference": 0.1})
    assert (sex.gate, sex.passed, sex.comparison) == ("fairness sex demographic_parity_difference", False, "<=")
    assert sex.margin == pytest.approx(-0.1)
    assert (age.passed, age.got) == (False, None)
    assert age.note == "fewer than two groups have 100 rows and what the measure needs"
    ratio = judged(fairness={"demographic_parity_ratio": 0.7})[1]
    assert (ratio.passed, ratio.comparison, ratio.note) == (True, ">=", "class late is the worst")


def test_a_metric_that_no_group_has_does_not_pass() -> None:
    (outcome,) = judged(slices={"carrier": {"mcc": 0.1}})
    assert (outcome.passed, outcome.note) == (False, "no group has 100 rows and a mcc")


def test_without_gates_nothing_needs_to_be_measured() -> None:
    assert list(group_gates(GateConfig(), None)) == []
    with pytest.raises(ConfigError, match="need measured slices"):
        list(group_gates(GateConfig(slices={"a": {"roc_auc": 0.5}}), None))
    with pytest.raises(ConfigError, match="the groups of `origin` were not measured"):
        judged(slices={"origin": {"roc_auc": 0.5}})


PLAN = SlicesPlan(columns=("carrier",), protected=("sex",))


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ({"slices": {"carier": {"roc_auc": 0.5}}}, "did you mean `carrier`.*\n  do: write evaluate.slices.columns"),
        ({"slices": {"carrier": {"rocauc": 0.5}}}, r"promote.gates.slices.carrier.rocauc: .*did you mean `roc_auc`"),
        ({"slices": {"carrier": {"rmse": 0.5}}}, "nothing of this name is measured here"),
        ({"fairness": {"demographic_parity": 0.5}}, "did you mean `demographic_parity_"),
        ({"fairness": {"mae_difference": 0.5}}, "fairness.mae_difference: nothing of this name"),
    ],
)
def test_what_will_not_be_measured_is_refused(gates: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        require_group_gates(GateConfig.model_validate(gates), PLAN, ["binary"])


def test_what_will_be_measured_is_not() -> None:
    gates = GateConfig(slices={"carrier": {"roc_auc": 0.6}}, fairness={"equalized_odds_ratio": 0.8})
    require_group_gates(gates, PLAN, ["binary"])
    require_group_gates(GateConfig(), None, ["binary"])
    with pytest.raises(ConfigError, match="marks no column that is left as protected"):
        require_group_gates(gates, PLAN.model_copy(update={"protected": ()}), ["binary"])
    with pytest.raises(ConfigError, match="images have no columns"):
        require_group_gates(gates, None, ["binary"])

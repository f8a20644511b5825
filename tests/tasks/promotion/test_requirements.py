from __future__ import annotations

from typing import Any, get_args

import pytest

from tasks.errors import ConfigError
from tasks.metrics.table import metric_names
from tasks.preprocessing.targets import Problem
from tasks.promotion.gates import GateConfig
from tasks.promotion.requirements import require_gates


@pytest.mark.parametrize("problem", get_args(Problem))
def test_every_metric_of_a_problem_may_be_a_gate(problem: Problem) -> None:
    names = dict.fromkeys(metric_names(problem), 0.0)
    require_gates(GateConfig(floor=names, gain=names), [problem])


def test_what_any_possible_problem_has_is_allowed() -> None:
    require_gates(GateConfig(floor={"f1": 0.1}), ["binary", "multiclass"])


@pytest.mark.parametrize(
    ("gates", "problems", "said"),
    [
        ({"floor": {"rmse": 1.0}}, ["binary"], r"promote\.gates\.floor\.rmse: .* metric of regression problems, and"),
        ({"gain": {"roc_auc": 0.0}}, ["regression"], r"promote\.gates\.gain\.roc_auc: .* this one is regression"),
        ({"floor": {"f1": 0.1}}, ["multiclass"], r"do: write `f1_macro`, or another of roc_auc, "),
        ({"floor": {"rmse": 1.0}}, ["multilabel"], r"do: write one of roc_auc, "),
        ({"floor": {"xyz": 1.0}}, ["regression"], r"`xyz` is no metric\n  do: write one of rmse, "),
        ({"gain": {"rocauc": 0.0}}, ["binary", "multiclass"], r"`rocauc` is no metric; did you mean `roc_auc`\?"),
    ],
)
def test_another_metric_is_refused_with_the_nearest(gates: dict[str, Any], problems: list[Problem], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        require_gates(GateConfig(**gates), problems)


def test_only_batches_that_are_timed_may_be_a_gate() -> None:
    require_gates(GateConfig(latency_ms={"1": 5.0, "256": 50.0}), ["binary"])
    with pytest.raises(ConfigError, match=r"promote\.gates\.latency_ms\.2: expected '1' or '256'.*\n  do: "):
        require_gates(GateConfig(latency_ms={"2": 5.0}), ["binary"])


@pytest.mark.parametrize("kind", ["floor", "gain"])
def test_a_single_quantile_has_no_coverage(kind: str) -> None:
    gates = GateConfig(**{kind: {"coverage": 0.8}})
    require_gates(gates, ["quantile"], quantiles=(0.1, 0.9))
    with pytest.raises(ConfigError, match=r"`coverage` needs two quantiles, and there is one"):
        require_gates(gates, ["quantile"], quantiles=(0.5,))

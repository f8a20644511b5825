"""The estimate of a run's cost covers what was measured, and grows with the data."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from data_contracts.contract import Contract
from pipelines.check import open_pipeline
from pipelines.checking.cost import Cost, estimate
from pipelines.config import PipelineConfig

CONFIGS = Path(__file__).parents[3] / "pipelines" / "configs"
FLIGHTS = 336_776


@cache
def opened(setting: str) -> tuple[PipelineConfig, Contract]:
    config, contract = open_pipeline(CONFIGS / "flights.yaml", [setting])
    assert isinstance(config, PipelineConfig)
    return config, contract


def cost(setting: str, rows: int = FLIGHTS) -> Cost:
    return estimate(*opened(setting), rows)


def test_what_was_measured_lies_within() -> None:
    trees = cost("train.model=trees")
    assert trees.cpu_minutes[0] < 49.1 / 60 < trees.cpu_minutes[1]
    assert trees.memory_gb[0] < 0.95 < trees.memory_gb[1]
    network = cost("train.rounds=3")
    # The task functions by plain calls, up to `verify`.
    assert network.cpu_minutes[0] < 60.6 / 60 < network.cpu_minutes[1]
    assert network.memory_gb[0] < 1.45 < network.memory_gb[1]


@pytest.mark.parametrize("model", ["trees", "mlp", "mlp-ple", "auto", "tabm"])
def test_more_rows_cost_more(model: str) -> None:
    costs = [cost(f"train.model={model}", rows=rows) for rows in (1_000, 1_000_000, 10_000_000)]
    for few, many in pairwise(costs):
        assert few.cpu_minutes[1] < many.cpu_minutes[1]
        assert few.memory_gb[1] < many.memory_gb[1]
    assert all(each.cpu_minutes[0] <= each.cpu_minutes[1] for each in costs)


def test_what_was_not_measured_is_not_estimated() -> None:
    assert "training of `tabm`, which was not measured, comes on top" in str(cost("train.model=tabm"))
    assert "`auto` may take 10 CPU minutes of it" in str(cost("train.model=auto"))
    assert str(cost("train.model=trees", rows=10)).startswith("about 0.3 to 0.5 CPU minutes and 0.8 to 1.0 GB")

"""The estimate of a run's cost covers what was measured, and grows with the data."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from data_contracts.contract import Contract
from pipelines.check import open_pipeline
from pipelines.checking.cost import Cost, estimate, estimate_images
from pipelines.checking.pictures import Pictures
from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig

CONFIGS = Path(__file__).parents[3] / "pipelines" / "configs"
FLIGHTS = 336_776


@cache
def opened(*settings: str) -> tuple[PipelineConfig, Contract]:
    config, contract = open_pipeline(CONFIGS / "flights.yaml", settings)
    assert isinstance(config, PipelineConfig)
    return config, contract


def cost(*settings: str, rows: int = FLIGHTS) -> Cost:
    return estimate(*opened(*settings), rows)


def of_images(*settings: str, images: int = 70_000, encoded: float = 0.0) -> Cost:
    config, _ = open_pipeline(CONFIGS / "fashion_mnist.yaml", settings)
    assert isinstance(config, ImagePipelineConfig)
    classes = dict.fromkeys(config.images.source.classes or (), images // 10)
    return estimate_images(config, Pictures(images, True, images, encoded, classes, ()))


def of_wide_table(columns: int, rows: int) -> Cost:
    """Estimate trees for a table of numbers with a boolean target."""
    config, contract = opened("train.model=trees")
    kept = [column for column in contract.columns if column.name in {"arr_delayed", "date"}]
    number = next(column for column in contract.columns if column.logical_type == "number")
    made = [number.model_copy(update={"name": f"n{place}"}) for place in range(columns)]
    wide = contract.model_copy(update={"columns": (*kept, *made)})
    preprocess = config.preprocess.model_copy(update={"exclude": (), "keep": ()})
    return estimate(config.model_copy(update={"preprocess": preprocess}), wide, rows)


def test_what_was_measured_lies_within() -> None:
    trees = cost("train.model=trees")
    assert trees.cpu_minutes[0] < 49.1 / 60 < trees.cpu_minutes[1]
    assert trees.memory_gb[0] < 0.95 < trees.memory_gb[1]
    network = cost("train.rounds=3")
    # The task functions by plain calls, up to `verify`.
    assert network.cpu_minutes[0] < 60.6 / 60 < network.cpu_minutes[1]
    assert network.memory_gb[0] < 1.45 < network.memory_gb[1]
    garments = of_images()
    # Training alone took 521 CPU seconds.
    assert garments.cpu_minutes[0] < (521 + 30) / 60 < garments.cpu_minutes[1]


def test_wide_tables_cost_by_their_columns() -> None:
    few, wide = of_wide_table(10, 2_000), of_wide_table(5_000, 2_000)
    # Of 850 CPU seconds, 308 went into explaining, of which 60 are left.
    assert wide.cpu_minutes[0] < 540 / 60 < wide.cpu_minutes[1]
    assert few.cpu_minutes[1] < 1


@pytest.mark.parametrize("model", ["trees", "auto", "linear", "tabm"])
def test_more_rows_cost_more(model: str) -> None:
    costs = [cost(f"train.model={model}", rows=rows) for rows in (1_000, 1_000_000, 10_000_000)]
    for few, many in pairwise(costs):
        assert few.cpu_minutes[1] < many.cpu_minutes[1]
        assert few.memory_gb[1] < many.memory_gb[1]
    assert all(each.cpu_minutes[0] <= each.cpu_minutes[1] for each in costs)


def test_more_images_and_larger_files_cost_more() -> None:
    few, many = of_images(images=1_000), of_images(images=100_000)
    assert few.cpu_minutes[1] < many.cpu_minutes[1]
    assert many.cpu_minutes[1] < of_images(images=100_000, encoded=100_000.0).cpu_minutes[1]
    assert "for 1,000 images; at most 14 rounds" in str(few)


def test_folds_and_trials_cost_a_training_each() -> None:
    once = cost("train.model=trees")
    folds = cost("train.model=trees", "cross_validate={folds: 5, method: kfold}")
    training = once.cpu_minutes[1] - cost("train.model=trees", "train.model.rounds=1").cpu_minutes[1]
    assert folds.cpu_minutes[1] - once.cpu_minutes[1] == pytest.approx(4 * training, rel=0.1)
    space = "search.space={train.model.leaves: {low: 8, high: 64}}"
    ten, forty = (cost("train.model=trees", space, f"search.trials={trials}") for trials in (10, 40))
    assert ten.search_cpu_minutes is not None
    assert forty.search_cpu_minutes is not None
    assert 2 < forty.search_cpu_minutes[1] / ten.search_cpu_minutes[1] < 4
    assert ten.cpu_minutes == once.cpu_minutes
    assert "; `headrace search` takes " in str(ten)
    # No trial begins later than this.
    short = cost("train.model=trees", space, "search.minutes=1").search_cpu_minutes
    assert short is not None
    assert short[1] < ten.search_cpu_minutes[1]


def test_a_blend_costs_what_its_members_do() -> None:
    alone = [cost(f"train.model={name}").cpu_minutes[1] for name in ("trees", "mlp")]
    blend = cost("train.model={name: blend, members: [trees, mlp]}")
    assert max(alone) < blend.cpu_minutes[1] < sum(alone)
    assert "a blend: `trees`, at most 1,000 rounds of trees; `mlp`, at most 12 rounds" in str(blend)


def test_what_cannot_be_known_is_said() -> None:
    config, contract = opened("train.model=mlp")
    own = {"name": "module", "path": "mine:Mine", "digest": "0" * 64}
    train = type(config.train).model_validate({**config.train.model_dump(), "model": own})
    said = str(estimate(config.model_copy(update={"train": train}), contract, 1_000))
    assert "what `module` computes comes on top: nothing is known of it" in said
    assert "`auto` may take 10 CPU minutes of it" in str(cost("train.model=auto"))
    assert "counted for a CPU" not in str(cost("train.model=mlp", "train.machine={accelerator: cpu}"))
    machine = config.train.machine.model_copy(update={"accelerator": "gpu"})
    train = config.train.model_copy(update={"machine": machine})
    assert "at most 12 rounds, counted for a CPU" in str(
        estimate(config.model_copy(update={"train": train}), contract, 1_000)
    )

"""Networks for every kind of problem, on data in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError, IntegrityError, TrainingError
from tasks.preprocessing.targets import LabelsTarget, NumberTarget, Target
from tasks.progress import reading
from tasks.training.config import TrainConfig
from tasks.training.job import Material
from tasks.training.module import NetworkModule
from tasks.training.splits import SplitTensors
from tasks.training.train_network import TrainedNetwork, fit_network
from tests.tasks.training.fixtures import TINY, constants

NUMBER = NumberTarget(column="y", source="number", center=10.0, spread=4.0)
TARGETS: dict[str, Target] = {
    "multilabel": LabelsTarget(labels=("a", "b")),
    "regression": NUMBER,
    "quantile": NUMBER.model_copy(update={"quantiles": (0.1, 0.5, 0.9)}),
}
FIRST = {"multilabel": "log_loss", "regression": "rmse", "quantile": "pinball"}


def _material(target: Target, *, scale: float = 1.0) -> Material:
    generator = torch.Generator().manual_seed(3)

    def split(rows: int) -> SplitTensors:
        numeric = torch.randn(rows, 3, generator=generator)
        score = numeric[:, 0] + 0.1 * torch.randn(rows, generator=generator)
        truth = score if isinstance(target, NumberTarget) else torch.stack([score > 0, numeric[:, 1] > 1], 1).float()
        codes = torch.randint(1, 5, (rows, 1), generator=generator)
        return SplitTensors(inputs=(numeric * scale, codes), target=truth)

    fitted = constants().model_copy(update={"target": target})
    return Material(train=split(512), validation=split(256), fitted=fitted, digest="some rows")


def _fit(material: Material, folder: Path, **settings: Any) -> TrainedNetwork:
    optimizer = {"learning_rate": 0.02, "warmup_steps": 0, "average_decay": 0.8}
    config = TrainConfig.model_validate({**TINY.model_dump(mode="json"), "optimizer": optimizer, **settings})
    return fit_network(material, config, AugmentConfig(), folder)


@pytest.mark.parametrize("problem", TARGETS)
def test_every_problem_is_learned(problem: str, tmp_path: Path) -> None:
    trained = _fit(_material(TARGETS[problem]), tmp_path, rounds=6, steps_per_round=10)
    values = [record[FIRST[problem]] for record in trained.history]
    assert min(values) < 0.75 * values[0]
    assert trained.best_round == values.index(min(values)) + 1


def test_what_is_measured_is_in_the_unit_of_the_column(tmp_path: Path) -> None:
    trained = _fit(_material(NUMBER), tmp_path, rounds=1)
    assert 1.0 < trained.history[0]["rmse"] < 8.0
    assert set(trained.history[0]) == {"round", "steps", "train_loss", "learning_rate", "rmse", "mae"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "pinball"}, "does not fit a regression problem"),
        ({"selection": {"metric": "roc_auc"}}, r"`roc_auc` does not fit a regression .*\n  do: .* rmse, mae"),
        ({"class_weights": "balanced"}, "a regression problem has no classes to weigh"),
        ({"machine": {"accelerator": "cpu", "precision": "16-mixed"}}, "16-mixed needs a GPU"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        _fit(_material(NUMBER), tmp_path, **settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_machine_without_a_gpu_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"train\.machine\.accelerator: this machine has no cuda"):
        _fit(_material(NUMBER), tmp_path, machine={"accelerator": "cuda"})


def test_a_full_gpu_says_which_batch_size_to_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: NetworkModule, *_: Any) -> torch.Tensor:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(NetworkModule, "training_step", full)
    with pytest.raises(TrainingError, match=r"batches of 64 rows \(CUDA .*\n  do: try train\.batch_size 32 .* 2"):
        _fit(_material(NUMBER), tmp_path)
    with pytest.raises(TrainingError, match="choose a smaller network"):
        _fit(_material(NUMBER), tmp_path, batch_size=1)


def test_the_progress_tells_losses_rates_and_metrics(tmp_path: Path) -> None:
    heard: list[tuple[str, dict[str, float]]] = []
    with reading(lambda label, values: heard.append((label, dict(values)))):
        trained = _fit(_material(NUMBER), tmp_path, rounds=2, logs={"every": 4})
    assert [values for label, values in heard if label == "round"] == list(trained.history)
    told = [values for label, values in heard if label == "training"]
    assert [each["step"] for each in told] == [4, 5, 8, 10]
    assert set(told[0]) == {"step", "train_loss", "learning_rate"}
    assert {"round/rmse", "round/mae", "round/train_loss"} < set(told[1])


def test_a_learning_rate_is_found_once_and_kept(tmp_path: Path) -> None:
    auto = {"optimizer": {"learning_rate": "auto", "warmup_steps": 0}}
    first = _fit(_material(NUMBER), tmp_path, **auto)
    assert first.range_test is not None
    chosen = first.range_test.chosen
    assert 1e-5 < chosen < 0.3
    assert len(first.range_test.rates) == len(first.range_test.losses)
    assert first.history[0]["learning_rate"] <= chosen
    path = next(tmp_path.glob("*/learning_rate.json"))
    assert json.loads(path.read_bytes())["chosen"] == chosen
    path.unlink()
    assert _fit(_material(NUMBER), tmp_path, **auto).range_test == first.range_test
    path.write_text("{}")
    with pytest.raises(IntegrityError, match="not the outcome of a range test"):
        _fit(_material(NUMBER), tmp_path, **auto)


def test_accumulated_batches_make_the_steps_of_one_large_batch(tmp_path: Path) -> None:
    plain = {"name": "sgd", "learning_rate": 0.05, "average_decay": 0.0}
    model = {"name": "linear"}
    whole = _fit(_material(NUMBER), tmp_path, model=model, batch_size=128, optimizer=plain)
    parts = _fit(_material(NUMBER), tmp_path, model=model, batch_size=64, optimizer={**plain, "accumulate": 2})
    assert [record["steps"] for record in parts.history] == [record["steps"] for record in whole.history]
    for name, value in whole.weights.items():
        assert torch.allclose(value, parts.weights[name], atol=1e-5)


def test_an_l1_penalty_brings_weights_down(tmp_path: Path) -> None:
    def size(l1: float) -> float:
        trained = _fit(_material(NUMBER), tmp_path, model="linear", rounds=6, loss={"l1": l1})
        return sum(float(value.abs().sum()) for name, value in trained.weights.items() if name.endswith("weight"))

    assert size(0.1) < 0.8 * size(0.0)


def test_other_rows_are_another_run(tmp_path: Path) -> None:
    material = _material(NUMBER)
    _fit(material, tmp_path, rounds=1)
    _fit(Material(material.train, material.validation, material.fitted, "other rows"), tmp_path, rounds=1)
    assert len(list(tmp_path.iterdir())) == 2

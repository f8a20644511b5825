from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from tasks.training.optimization import OptimizerConfig, averaged_tensors, build_optimizer, move_average

NAMES = ("adamw", "adam", "sgd", "rmsprop")


def test_without_a_decay_the_average_is_the_latest() -> None:
    average, network = nn.Linear(2, 1), nn.Linear(2, 1)
    move_average(averaged_tensors(average), averaged_tensors(network), step=5, decay=0.0)
    assert torch.equal(average.weight, network.weight)


def test_the_average_follows_slowly_late_and_fast_early() -> None:
    average, network = nn.Linear(1, 1), nn.Linear(1, 1)
    for step, expected in ((1, 0.9), (10_000, 0.01)):
        nn.init.zeros_(average.weight)
        nn.init.ones_(network.weight)
        move_average(averaged_tensors(average), averaged_tensors(network), step=step, decay=0.99)
        assert average.weight.item() == pytest.approx(expected)


def test_biases_do_not_decay() -> None:
    layer = nn.Linear(2, 2)
    optimizer = build_optimizer(layer, OptimizerConfig(weight_decay=0.5))
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert (decay[id(layer.weight)], decay[id(layer.bias)]) == (0.5, 0.0)
    assert len(build_optimizer(nn.Embedding(3, 2), OptimizerConfig()).param_groups) == 1


def test_the_statistics_of_a_normalisation_are_averaged_and_its_counter_is_not() -> None:
    average, network = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    network(torch.randn(8, 2) + 5)
    move_average(averaged_tensors(average), averaged_tensors(network), step=5, decay=0.0)
    assert torch.equal(average.running_mean, network.running_mean)
    assert len(averaged_tensors(network)) == 4


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_lowers_a_loss(name: str) -> None:
    torch.manual_seed(0)
    layer, x = nn.Linear(3, 1), torch.randn(64, 3)
    y = x.sum(dim=1, keepdim=True)
    optimizer = build_optimizer(layer, OptimizerConfig(name=name, learning_rate=0.02))
    losses = []
    for _ in range(40):
        loss = nn.functional.mse_loss(layer(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_config_is_completed_once_and_stays_as_it_is(name: str) -> None:
    config = OptimizerConfig.model_validate(name)
    assert isinstance(config.learning_rate, float)
    assert OptimizerConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "adamw", "momentum": 0.5}, r"train\.optimizer\.momentum: `adamw` has no .* belongs to sgd, rmsprop"),
        ({"name": "rmsprop", "nesterov": True}, r"nesterov: `rmsprop` has no such option; it belongs to sgd"),
        ({"schedule": "one-cycle", "warmup_steps": 5}, r"warmup_steps: `one-cycle` has no such option"),
        ({"plateau_rounds": 5}, r"plateau_rounds: `cosine` has no such option; it belongs to plateau"),
        ({"name": "adamwx"}, r"expected one of adamw, .* got 'adamwx'\n  do: write `adamw`"),
        ({"schedule": "cosin"}, r"train\.optimizer\.schedule.*\n  do: write `cosine`"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"average_decay": 1.0}, "average_decay"),
        ({"rate": 1.0}, "rate"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        OptimizerConfig.model_validate(given)

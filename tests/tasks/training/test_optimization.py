from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tasks.training.optimization import OptimizerConfig, build_optimizer, learning_rate_factor, move_average


@settings(max_examples=100, deadline=None)
@given(warmup=st.integers(0, 20), total=st.integers(1, 200), step=st.integers(0, 300))
def test_the_learning_rate_stays_between_nothing_and_its_peak(warmup: int, total: int, step: int) -> None:
    for schedule in ("constant", "cosine"):
        config = OptimizerConfig(warmup_steps=warmup, schedule=schedule)
        assert 0.0 <= learning_rate_factor(step, config, total) <= 1.0


def test_the_learning_rate_rises_and_then_falls_to_zero() -> None:
    config = OptimizerConfig(warmup_steps=10)
    factors = [learning_rate_factor(step, config, 100) for step in range(101)]
    assert factors[:11] == sorted(factors[:11])
    assert factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[100] == pytest.approx(0.0)


def test_without_a_decay_the_average_is_the_latest() -> None:
    average, network = nn.Linear(2, 1), nn.Linear(2, 1)
    move_average(average, network, step=5, decay=0.0)
    assert torch.equal(average.weight, network.weight)


def test_the_average_follows_slowly_late_and_fast_early() -> None:
    average, network = nn.Linear(1, 1), nn.Linear(1, 1)
    for step, expected in ((1, 0.9), (10_000, 0.01)):
        nn.init.zeros_(average.weight)
        nn.init.ones_(network.weight)
        move_average(average, network, step=step, decay=0.99)
        assert average.weight.item() == pytest.approx(expected)


def test_biases_do_not_decay() -> None:
    layer = nn.Linear(2, 2)
    optimizer = build_optimizer(layer, OptimizerConfig(weight_decay=0.5))
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert (decay[id(layer.weight)], decay[id(layer.bias)]) == (0.5, 0.0)
    assert len(build_optimizer(nn.Embedding(3, 2), OptimizerConfig()).param_groups) == 1

"""What is said by formulas is what the networks themselves hold and do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pipelines.checking.multiplications import Features, of_a_row, of_an_image
from tasks.images.decode import ImageConfig
from tasks.models.ft_transformer import FtTransformerConfig
from tasks.models.images.cnn import CnnConfig
from tasks.models.images.resnet import ResnetConfig
from tasks.models.mlp import MlpConfig
from tasks.models.mlp_ple import MlpPleConfig
from tasks.models.module import ModuleConfig
from tasks.models.registry import build_network
from tasks.models.spec import CategoricalInput, FeatureSpec, ImageSpec, NumericInput
from tasks.models.tabm import TabmConfig

NUMBERS, CATEGORIES, BINS = 12, 3, 8


@pytest.mark.parametrize("model", [MlpConfig(), MlpPleConfig(), TabmConfig(members=4)])
def test_of_a_table_every_weight_is_a_multiplication(model: Any) -> None:
    edges = tuple(map(float, range(BINS + 1)))
    spec = FeatureSpec(
        numeric=tuple(NumericInput(name=f"n{place}", edges=edges) for place in range(NUMBERS)),
        categorical=tuple(CategoricalInput(name=f"c{place}", cardinality=40) for place in range(CATEGORIES)),
        outputs=2,
    )
    network = build_network(model, spec)
    counted = 0
    for name, weight in network.named_parameters():
        if name.endswith("weight") and "tables" not in name:
            # The hidden layers of TabM are every member's.
            counted += weight.numel() * (4 if model.name == "tabm" and name.startswith("hidden") else 1)
    assert of_a_row(model, Features(NUMBERS, CATEGORIES, BINS, 2)) == counted


@pytest.mark.parametrize("model", [CnnConfig(channels=(8, 16), convolutions=2), ResnetConfig(depth=14, width=8)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_of_images_every_weight_is_one_at_every_place(model: CnnConfig | ResnetConfig, mode: Any) -> None:
    channels = {"L": 1, "RGB": 3}[mode]
    spec = ImageSpec(height=21, width=30, mean=(0.0,) * channels, deviation=(1.0,) * channels, outputs=5)
    network = build_network(model, spec).eval()
    counted, made = [], []

    def count(layer: nn.Module, _: Any, values: torch.Tensor) -> None:
        assert isinstance(layer.weight, torch.Tensor)
        counted.append(layer.weight.numel() * values[0, 0].numel())
        made.append(values.numel() if values.ndim == 4 else 0)

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, 21, 30, channels, dtype=torch.uint8))
    assert of_an_image(model, ImageConfig(width=30, height=21, mode=mode), 5) == (sum(counted), sum(made))


def test_attention_grows_with_the_square_of_the_features_and_own_networks_are_not_known() -> None:
    few, many = (of_a_row(FtTransformerConfig(), Features(numbers, 0, 48, 2)) for numbers in (100, 1_000))
    assert few is not None
    assert many is not None
    assert 10 < many / few < 100
    own = ModuleConfig(path="mine:Mine", digest="0" * 64)
    assert of_a_row(own, Features(1, 1, 48, 2)) is None

"""A linear model of random Fourier features: smooth in the numbers, as a machine with a Gaussian kernel is."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt
from torch import nn

from tasks.models.linear import LinearNetwork
from tasks.models.mlp import Share
from tasks.models.spec import FeatureSpec, TabularNetwork

# Beyond so many standard deviations a number counts as the limit: a cosine of a great argument is only noise.
_LIMIT = 8.0


class RandomFeaturesConfig(BaseModel):
    """`model: {name: random-features, ...}`.

    Attributes:
        width: How many cosines there are.
        length_scale: Over what distance answers change, in standard deviations of a number times the square root of
            how many numbers there are.
        dropout: Share of the cosines dropped in training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["random-features"] = "random-features"
    width: PositiveInt = 2048
    length_scale: PositiveFloat = 1.0
    dropout: Share = 0.1


class RandomFeaturesNetwork(TabularNetwork):
    """A linear model, and on top of it weights of cosines of random projections of the numbers.

    A linear model of such cosines is one with a Gaussian kernel, the better the more there are (Rahimi and Recht,
    "Random Features for Large-Scale Kernel Machines", NeurIPS 2007). Projections stay as they were drawn. What is
    learned, beside the weights, is how far each number counts.
    """

    def __init__(self, config: RandomFeaturesConfig, spec: FeatureSpec) -> None:
        super().__init__()
        numbers = len(spec.numeric)
        spread = 1.0 / (config.length_scale * math.sqrt(max(numbers, 1)))
        # Parameters, so that a training that starts from these weights takes what was drawn along.
        self.frequencies = nn.Parameter(torch.randn(numbers, config.width) * spread, requires_grad=False)
        self.phases = nn.Parameter(torch.rand(config.width) * (2 * math.pi), requires_grad=False)
        self.scale = nn.Parameter(torch.ones(numbers))
        self.weight = nn.Parameter(torch.zeros(config.width, spec.outputs))
        self.dropout = nn.Dropout(config.dropout)
        self.linear = LinearNetwork(spec)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch; see `TabularNetwork.forward`."""
        near = numeric.clamp(-_LIMIT, _LIMIT) * self.scale
        waves = torch.cos(near @ self.frequencies + self.phases)
        scores: torch.Tensor = self.linear(numeric, categorical) + self.dropout(waves) @ self.weight
        return scores


def build_random_features(config: RandomFeaturesConfig, spec: FeatureSpec) -> RandomFeaturesNetwork:
    """Build the linear model of random features."""
    return RandomFeaturesNetwork(config, spec)

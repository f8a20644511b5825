"""A multilayer perceptron on piecewise-linear embeddings of the numbers."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt

from tasks.models.layers import (
    Activation,
    CategoricalEmbedding,
    PiecewiseLinearEmbedding,
    feature_dropout,
    perceptron,
)
from tasks.models.mlp import Share
from tasks.models.spec import FeatureSpec, TabularNetwork


class MlpPleConfig(BaseModel):
    """`model: {name: mlp-ple, ...}`.

    Attributes:
        hidden: Width of each hidden layer.
        activation: What stands between the layers.
        dropout: Share of hidden units dropped in training.
        embedding_dropout: Share of features whose embedding is dropped whole in training, numbers and categories.
        numeric_width: Width of a number's embedding.
        categorical_width: Greatest width of a category's embedding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["mlp-ple"] = "mlp-ple"
    hidden: tuple[PositiveInt, ...] = (256, 256, 256)
    activation: Activation = "silu"
    dropout: Share = 0.1
    embedding_dropout: Share = 0.1
    numeric_width: PositiveInt = 16
    categorical_width: PositiveInt = 16


class MlpPleNetwork(TabularNetwork):
    """Embedded numbers and embedded categories side by side, then a perceptron."""

    def __init__(self, config: MlpPleConfig, spec: FeatureSpec) -> None:
        super().__init__()
        self.numbers = PiecewiseLinearEmbedding(spec.numeric, config.numeric_width)
        self.categories = CategoricalEmbedding(spec.categorical, config.categorical_width)
        self.embedding_dropout = config.embedding_dropout
        inputs = len(spec.numeric) * config.numeric_width + self.categories.width
        self.perceptron = perceptron(inputs, config.hidden, spec.outputs, config.activation, config.dropout)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch; see `TabularNetwork.forward`."""
        numbers = self.numbers(numeric)
        embedded = self.categories(categorical)
        if self.training:
            numbers = feature_dropout(numbers, self.embedding_dropout)
            embedded = [feature_dropout(item, self.embedding_dropout) for item in embedded]
        logits: torch.Tensor = self.perceptron(torch.cat([numbers.flatten(1), *embedded], dim=1))
        return logits


def build_mlp_ple(config: MlpPleConfig, spec: FeatureSpec) -> MlpPleNetwork:
    """Build the perceptron on piecewise-linear embeddings."""
    return MlpPleNetwork(config, spec)

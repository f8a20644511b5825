"""A plain multilayer perceptron: the numbers as they are, an embedding for every category."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from tasks.models.layers import Activation, CategoricalEmbedding, feature_dropout, perceptron
from tasks.models.spec import FeatureSpec, TabularNetwork

Share = Annotated[float, Field(ge=0.0, lt=1.0)]


class MlpConfig(BaseModel):
    """`model: {name: mlp, ...}`.

    Attributes:
        hidden: Width of each hidden layer.
        activation: What stands between the layers.
        dropout: Share of hidden units dropped in training.
        embedding_dropout: Share of categorical embeddings dropped whole in training.
        categorical_width: Greatest width of a category's embedding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["mlp"] = "mlp"
    hidden: tuple[PositiveInt, ...] = (256, 256, 256)
    activation: Activation = "silu"
    dropout: Share = 0.1
    embedding_dropout: Share = 0.1
    categorical_width: PositiveInt = 16


class MlpNetwork(TabularNetwork):
    """Numbers and embedded categories side by side, then a perceptron."""

    def __init__(self, config: MlpConfig, spec: FeatureSpec) -> None:
        super().__init__()
        self.categories = CategoricalEmbedding(spec.categorical, config.categorical_width)
        self.embedding_dropout = config.embedding_dropout
        inputs = len(spec.numeric) + self.categories.width
        self.perceptron = perceptron(inputs, config.hidden, spec.outputs, config.activation, config.dropout)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch; see `TabularNetwork.forward`."""
        embedded = self.categories(categorical)
        if self.training:
            embedded = [feature_dropout(item, self.embedding_dropout) for item in embedded]
        logits: torch.Tensor = self.perceptron(torch.cat([numeric, *embedded], dim=1))
        return logits


def build_mlp(config: MlpConfig, spec: FeatureSpec) -> MlpNetwork:
    """Build the plain perceptron."""
    return MlpNetwork(config, spec)

"""TabM-mini: an ensemble of perceptrons that share all weights but an adapter of the inputs and the last layer."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import nn

from tasks.models.layers import (
    Activation,
    CategoricalEmbedding,
    PiecewiseLinearEmbedding,
    feature_dropout,
    hidden_layers,
)
from tasks.models.members import MemberLinear, MemberScaling, together
from tasks.models.mlp import Share
from tasks.models.spec import FeatureSpec, TabularNetwork


class TabmConfig(BaseModel):
    """`model: {name: tabm, ...}`.

    Attributes:
        members: How many perceptrons there are; time and memory grow with it, weights hardly do.
        hidden: Width of each hidden layer.
        activation: What stands between the layers.
        dropout: Share of hidden units dropped in training.
        embedding_dropout: Share of features whose embedding is dropped whole in training, numbers and categories.
        numeric_width: Width of a number's piecewise-linear embedding; 0 takes the numbers as they are.
        categorical_width: Greatest width of a category's embedding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["tabm"] = "tabm"
    members: PositiveInt = 16
    hidden: tuple[PositiveInt, ...] = (256, 256)
    activation: Activation = "relu"
    dropout: Share = 0.1
    embedding_dropout: Share = 0.0
    numeric_width: NonNegativeInt = 16
    categorical_width: PositiveInt = 16


class TabmNetwork(TabularNetwork):
    """TabM-mini of Gorishniy, Kotelnikov and Babenko, "TabM" (ICLR 2025, https://arxiv.org/abs/2410.24210).

    Every member scales the embedded features by factors of its own, passes them through the same hidden layers, and
    has its own last layer. A feature's embedding has one factor for each member, drawn from a normal distribution, or
    a random sign where the numbers are not embedded, as in the paper. The members learn apart; see `training_scores`.
    """

    def __init__(self, config: TabmConfig, spec: FeatureSpec) -> None:
        super().__init__()
        self.numbers = PiecewiseLinearEmbedding(spec.numeric, config.numeric_width) if config.numeric_width else None
        self.categories = CategoricalEmbedding(spec.categorical, config.categorical_width)
        self.embedding_dropout = config.embedding_dropout
        widths = [config.numeric_width or 1] * len(spec.numeric) + self.categories.widths
        self.adapter = MemberScaling(config.members, widths, "normal" if config.numeric_width else "signs")
        self.hidden = nn.Sequential(*hidden_layers(sum(widths), config.hidden, config.activation, config.dropout))
        self.heads = MemberLinear(config.members, config.hidden[-1] if config.hidden else sum(widths), spec.outputs)
        self.kind = spec.kind

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch by all members together; see `TabularNetwork.forward` and `tasks.models.members.together`."""
        return together(self.training_scores(numeric, categorical), self.kind)

    def training_scores(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Score a batch by each member; see `TabularNetwork.training_scores`."""
        numeric, categorical = inputs
        numbers = numeric[:, :, None] if self.numbers is None else self.numbers(numeric)
        embedded = self.categories(categorical)
        if self.training:
            numbers = feature_dropout(numbers, self.embedding_dropout)
            embedded = [feature_dropout(item, self.embedding_dropout) for item in embedded]
        members = self.adapter(torch.cat([numbers.flatten(1), *embedded], dim=1))
        scores: torch.Tensor = self.heads(self.hidden(members))
        return scores


def build_tabm(config: TabmConfig, spec: FeatureSpec) -> TabmNetwork:
    """Build TabM-mini."""
    return TabmNetwork(config, spec)

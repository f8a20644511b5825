"""A linear model: one weight for every number and every category."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from tasks.models.spec import FeatureSpec, TabularNetwork


class LinearConfig(BaseModel):
    """`model: {name: linear}`; it has nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["linear"] = "linear"


class LinearNetwork(TabularNetwork):
    """Softmax regression."""

    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(len(spec.numeric), spec.outputs))
        self.bias = nn.Parameter(torch.zeros(spec.outputs))
        self.categories = nn.ModuleList(nn.Embedding(item.cardinality, spec.outputs) for item in spec.categorical)
        for table in self.categories.parameters():
            nn.init.zeros_(table)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch; see `TabularNetwork.forward`."""
        logits = numeric @ self.weight + self.bias
        for column, weights in enumerate(self.categories):
            logits = logits + weights(categorical[:, column])
        return logits


def build_linear(config: LinearConfig, spec: FeatureSpec) -> LinearNetwork:  # noqa: ARG001
    """Build the linear model."""
    return LinearNetwork(spec)

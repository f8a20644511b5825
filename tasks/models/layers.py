"""Layers that the networks share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from tasks.models.spec import CategoricalInput, NumericInput

Activation = Literal["relu", "silu", "gelu"]

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "gelu": nn.GELU}


class PiecewiseLinearEmbedding(nn.Module):
    """Embeds each number by the share of each of its bins that lies below it, then a linear layer of its own.

    The encoding is the quantile-binned one of Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features
    in Tabular Deep Learning" (NeurIPS 2022). Two differences: a value beyond the outer edges counts as the edge, so
    that an extreme record cannot leave what training has seen; and a feature without edges passes as it is.

    Shapes: float32 `[N, D]` to `[N, D, width]`.
    """

    origin: torch.Tensor
    scale: torch.Tensor
    lowest: torch.Tensor
    highest: torch.Tensor

    def __init__(self, inputs: Sequence[NumericInput], width: int) -> None:
        super().__init__()
        bins = max((max(len(item.edges) - 1, 1) for item in inputs), default=1)
        shape = (len(inputs), bins)
        # A bin that a feature lacks has scale 0 and stays 0 whatever the value.
        origin, scale = torch.zeros(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.float64)
        lowest, highest = torch.zeros(shape), torch.ones(shape)
        used = torch.ones(len(inputs))
        for row, item in enumerate(inputs):
            if not item.edges:
                scale[row, 0], lowest[row, 0], highest[row, 0] = 1.0, -torch.inf, torch.inf
                continue
            edges = torch.tensor(item.edges, dtype=torch.float64)
            used[row] = len(edges) - 1
            origin[row, : len(edges) - 1] = edges[:-1]
            scale[row, : len(edges) - 1] = 1.0 / edges.diff()
        for name, buffer in (("origin", origin), ("scale", scale), ("lowest", lowest), ("highest", highest)):
            self.register_buffer(name, buffer.float())
        spread = used.rsqrt()[:, None, None]
        self.weight = nn.Parameter(torch.empty(*shape, width).uniform_(-1.0, 1.0) * spread)
        self.bias = nn.Parameter(torch.zeros(len(inputs), width))

    def forward(self, numeric: torch.Tensor) -> torch.Tensor:
        """Embed a batch."""
        shares = (numeric[:, :, None] - self.origin) * self.scale
        shares = torch.minimum(torch.maximum(shares, self.lowest), self.highest)
        return torch.relu(torch.matmul(shares.transpose(0, 1), self.weight).transpose(0, 1) + self.bias)


class CategoricalEmbedding(nn.Module):
    """Looks every code up in its column's table.

    A table is half as wide as its column has codes, and at most `width`. Shapes: int64 `[N, K]` to a list of `K`
    float32 `[N, width of the column]`.
    """

    def __init__(self, inputs: Sequence[CategoricalInput], width: int) -> None:
        super().__init__()
        tables = [nn.Embedding(item.cardinality, min(width, (item.cardinality + 1) // 2)) for item in inputs]
        for table in tables:
            nn.init.normal_(table.weight, std=0.1)
        self.widths = [table.embedding_dim for table in tables]
        self.width = sum(self.widths)
        self.tables = nn.ModuleList(tables)

    def forward(self, categorical: torch.Tensor) -> list[torch.Tensor]:
        """Look a batch up."""
        return [table(categorical[:, column]) for column, table in enumerate(self.tables)]


def feature_dropout(embedded: torch.Tensor, rate: float) -> torch.Tensor:
    """Drop whole embeddings: a feature's vector is kept and scaled up, or zero, for each record on its own.

    Args:
        embedded: float32 `[..., width]`; everything but the last axis is dropped independently.
        rate: Share dropped, in `[0, 1)`.
    """
    if rate == 0.0:
        return embedded
    kept = torch.rand(embedded.shape[:-1], device=embedded.device)[..., None] >= rate
    return embedded * kept.to(embedded.dtype) / (1.0 - rate)


def hidden_layers(inputs: int, hidden: Sequence[int], activation: Activation, dropout: float) -> list[nn.Module]:
    """Return linear layers, each followed by an activation and dropout; they work on the last axis."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), _ACTIVATIONS[activation](), nn.Dropout(dropout)]
        inputs = width
    return layers


def perceptron(inputs: int, hidden: Sequence[int], outputs: int, activation: Activation, dropout: float) -> nn.Module:
    """Stack linear layers with an activation and dropout between them."""
    layers = hidden_layers(inputs, hidden, activation, dropout)
    return nn.Sequential(*layers, nn.Linear(hidden[-1] if hidden else inputs, outputs))

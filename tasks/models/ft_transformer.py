"""FT-Transformer: every feature is a token, and attention lets the features speak with each other."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, model_validator
from torch import nn
from torch.nn import functional

from tasks.errors import ConfigError
from tasks.models.layers import PiecewiseLinearEmbedding
from tasks.models.mlp import Share
from tasks.models.spec import CategoricalInput, FeatureSpec, TabularNetwork

# Attention squares what it reads; beyond this a product would leave float32 and become NaN.
_FARTHEST = 1e6


class FtTransformerConfig(BaseModel):
    """`model: {name: ft-transformer, ...}`.

    Attributes:
        width: Width of a token; a multiple of `heads`.
        blocks: Blocks of attention and perceptron.
        heads: Heads of attention, each as wide as its share of `width`.
        hidden: Width of the hidden layer of a block's perceptron, as a multiple of `width`.
        attention_dropout: Share of attention dropped in training.
        dropout: Share of the perceptrons' hidden units dropped in training.
        numbers: How a number becomes a token: by its bins (`piecewise`), or times a vector (`linear`, as in the paper).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["ft-transformer"] = "ft-transformer"
    width: PositiveInt = 64
    blocks: PositiveInt = 2
    heads: PositiveInt = 8
    hidden: PositiveFloat = 4 / 3
    attention_dropout: Share = 0.2
    dropout: Share = 0.1
    numbers: Literal["piecewise", "linear"] = "piecewise"

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> FtTransformerConfig:
        if self.width % self.heads:
            raise ConfigError(
                f"train.model: the width of a token is shared by the heads, got width {self.width} and heads "
                f"{self.heads}\n  do: write a width such as {math.ceil(self.width / self.heads) * self.heads}"
            )
        return self


class LinearTokens(nn.Module):
    """Multiplies every number by a vector of its own and adds another: float32 `[N, D]` to `[N, D, width]`."""

    def __init__(self, numbers: int, width: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(width)
        self.weight = nn.Parameter(torch.empty(numbers, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(numbers, width).uniform_(-bound, bound))

    def forward(self, numeric: torch.Tensor) -> torch.Tensor:
        """Make the tokens of a batch."""
        return numeric[:, :, None] * self.weight + self.bias


class CategoryTokens(nn.Module):
    """Looks every code up in its column's table: int64 `[N, K]` to float32 `[N, K, width]`."""

    offsets: torch.Tensor

    def __init__(self, inputs: tuple[CategoricalInput, ...], width: int) -> None:
        super().__init__()
        sizes = torch.tensor([item.cardinality for item in inputs])
        self.register_buffer("offsets", sizes.cumsum(0) - sizes)
        bound = 1.0 / math.sqrt(width)
        self.table = nn.Embedding(int(sizes.sum()), width)
        nn.init.uniform_(self.table.weight, -bound, bound)

    def forward(self, categorical: torch.Tensor) -> torch.Tensor:
        """Make the tokens of a batch."""
        tokens: torch.Tensor = self.table(categorical + self.offsets)
        return tokens


class Attention(nn.Module):
    """Multi-head attention in plain products, which every backend computes and differentiates in one order."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.dropout = nn.Dropout(dropout)
        self._heads = heads

    def forward(self, asking: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Let `asking` `[N, Q, width]` attend to `tokens` `[N, T, width]`; returns `[N, Q, width]`."""
        query, key, value = self.query(asking), self.key(tokens), self.value(tokens)
        query, key, value = (each.unflatten(2, (self._heads, -1)).transpose(1, 2) for each in (query, key, value))
        weights = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(key.shape[3]), dim=3)
        said: torch.Tensor = self.out((self.dropout(weights) @ value).transpose(1, 2).flatten(2))
        return said


class Block(nn.Module):
    """Attention, then a perceptron with ReGLU; each reads normalized tokens and adds to what it was given."""

    def __init__(self, config: FtTransformerConfig, *, normalized: bool) -> None:
        super().__init__()
        width, hidden = config.width, max(1, int(config.width * config.hidden))
        self.attention_norm = nn.LayerNorm(width) if normalized else nn.Identity()
        self.attention = Attention(width, config.heads, config.attention_dropout)
        self.perceptron_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.narrow = nn.Linear(hidden, width)

    def forward(self, tokens: torch.Tensor, asking: int) -> torch.Tensor:
        """Return the first `asking` of the tokens `[N, T, width]`, changed; all of them are read."""
        read = self.attention_norm(tokens)
        kept = tokens[:, :asking] + self.attention(read[:, :asking], read)
        value, gate = self.widen(self.perceptron_norm(kept)).chunk(2, dim=2)
        changed: torch.Tensor = kept + self.narrow(self.dropout(value * functional.relu(gate)))
        return changed


class FtTransformerNetwork(TabularNetwork):
    """The FT-Transformer of Gorishniy, Rubachev, Khrulkov and Babenko (NeurIPS 2021, arXiv:2106.11959).

    As there, the first block's attention reads its tokens as they are, and the last block changes the token of the
    class alone, from which the scores are read. By default numbers become tokens by their bins, after Gorishniy,
    Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (NeurIPS 2022).
    """

    def __init__(self, config: FtTransformerConfig, spec: FeatureSpec) -> None:
        super().__init__()
        width = config.width
        self.start = nn.Parameter(torch.empty(1, width).uniform_(-1.0, 1.0) / math.sqrt(width))
        self.numbers: nn.Module | None = None
        if spec.numeric and config.numbers == "piecewise":
            self.numbers = PiecewiseLinearEmbedding(spec.numeric, width)
        elif spec.numeric:
            self.numbers = LinearTokens(len(spec.numeric), width)
        self.categories = CategoryTokens(spec.categorical, width) if spec.categorical else None
        self.blocks = nn.ModuleList(Block(config, normalized=number > 0) for number in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, spec.outputs)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch; see `TabularNetwork.forward`."""
        parts = [self.start.expand(numeric.shape[0], 1, -1)]
        if self.numbers is not None:
            parts.append(self.numbers(numeric.clamp(-_FARTHEST, _FARTHEST)))
        if self.categories is not None:
            parts.append(self.categories(categorical))
        tokens = torch.cat(parts, dim=1)
        for block in self.blocks[:-1]:
            tokens = block(tokens, tokens.shape[1])
        said = self.blocks[-1](tokens, 1)[:, 0]
        scores: torch.Tensor = self.head(functional.relu(self.norm(said)))
        return scores


def build_ft_transformer(config: FtTransformerConfig, spec: FeatureSpec) -> FtTransformerNetwork:
    """Build the FT-Transformer."""
    return FtTransformerNetwork(config, spec)

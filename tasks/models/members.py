"""What the members of an ensemble with shared weights have of their own, and what they say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional


class MemberScaling(nn.Module):
    """Multiplies the inputs by factors of each member: float32 `[N, D]` to `[N, M, D]`."""

    def __init__(self, members: int, widths: Sequence[int], start: Literal["normal", "signs"]) -> None:
        """Draw the first factors.

        Args:
            members: M.
            widths: Width of each feature, D in all; the columns of a feature start with the same factor.
            start: From a standard normal distribution, or 1 and -1 alike.
        """
        super().__init__()
        drawn = torch.randn(members, len(widths))
        if start == "signs":
            drawn = torch.where(drawn < 0, -1.0, 1.0)
        self.factor = nn.Parameter(drawn.repeat_interleave(torch.tensor(widths), dim=1))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Scale a batch."""
        return inputs[:, None] * self.factor


class MemberLinear(nn.Module):
    """A linear layer for each member: float32 `[N, M, D]` to `[N, M, O]`."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(max(inputs, 1))
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, outputs).uniform_(-bound, bound))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Apply every member's layer to what the member has."""
        return torch.matmul(inputs.transpose(0, 1), self.weight).transpose(0, 1) + self.bias


def together(scores: torch.Tensor, kind: Literal["classes", "labels", "number"]) -> torch.Tensor:
    """Return the scores whose probabilities are the mean of the members' probabilities; of numbers, the mean.

    Args:
        scores: float32 `[N, M, O]`.
        kind: What they stand for; see `FeatureSpec`.

    Returns:
        float32 `[N, O]`. For classes the logarithms of the probabilities, for labels the log-odds.
    """
    if kind == "number":
        return scores.mean(dim=1)
    if kind == "classes":
        return _log_mean(functional.log_softmax(scores, dim=2))
    # torch's own `logsigmoid` is exported as the logarithm of a sigmoid, which is infinite where a member is sure.
    rest = torch.log1p(torch.exp(-scores.abs()))
    return _log_mean(scores.clamp(max=0.0) - rest) - _log_mean((-scores).clamp(max=0.0) - rest)


def _log_mean(logarithms: torch.Tensor) -> torch.Tensor:
    # Shifted by the greatest, the exponentials neither overflow nor all vanish, in ONNX Runtime as here.
    greatest = logarithms.amax(dim=1, keepdim=True)
    return (logarithms - greatest).exp().mean(dim=1).log() + greatest[:, 0]

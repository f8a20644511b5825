"""A residual network for small pictures, pre-activation.

The blocks are those of He, Zhang, Ren and Sun, "Identity Mappings in Deep Residual Networks" (ECCV 2016), the plan of
three stages that of the same authors' CIFAR-10 networks; `width` widens them as in Zagoruyko and Komodakis, "Wide
Residual Networks" (BMVC 2016).
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator
from torch import nn
from torch.nn import functional

from tasks.models.mlp import Share
from tasks.models.spec import ImageNetwork, ImageSpec


class ResnetConfig(BaseModel):
    """`model: {name: resnet, ...}`.

    Attributes:
        depth: Layers with weights: 6n + 2 for n blocks in each of the three stages.
        width: Channels of the first stage; the second has twice and the third four times as many.
        dropout: Share of values dropped in training between the two convolutions of a block.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["resnet"] = "resnet"
    depth: int = Field(default=20, ge=8)
    width: PositiveInt = 16
    dropout: Share = 0.0

    @field_validator("depth")
    @classmethod
    def _whole_blocks(cls, depth: int) -> int:
        if (depth - 2) % 6:
            near = 6 * round((depth - 2) / 6) + 2
            raise ValueError(f"depth: expected 6n + 2, such as 8, 14, 20 or 26, got {depth}\n  do: write {near}")
        return depth


class _Block(nn.Module):
    """Two convolutions, each behind its normalisation and ReLU, added to what came in."""

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.first_norm = nn.BatchNorm2d(inputs)
        self.first = _convolution(inputs, outputs, kernel=3, stride=stride)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.second = _convolution(outputs, outputs, kernel=3, stride=1)
        self.dropout = nn.Dropout(dropout)
        same = inputs == outputs and stride == 1
        self.shortcut = None if same else _convolution(inputs, outputs, kernel=1, stride=stride)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        active = functional.relu(self.first_norm(values))
        # Where the shape changes, the shortcut starts behind the activation too, as in the paper's code.
        kept = values if self.shortcut is None else self.shortcut(active)
        active = functional.relu(self.second_norm(self.first(active)))
        changed: torch.Tensor = kept + self.second(self.dropout(active))
        return changed


class ResnetNetwork(ImageNetwork):
    """A convolution, three stages of blocks, the mean over all places, one linear layer."""

    def __init__(self, config: ResnetConfig, spec: ImageSpec) -> None:
        super().__init__(spec)
        self.stem = _convolution(spec.channels, config.width, kernel=3, stride=1)
        blocks: list[nn.Module] = []
        inputs = config.width
        for stage in range(3):
            outputs = config.width << stage
            for position in range((config.depth - 2) // 6):
                stride = 2 if stage and position == 0 else 1
                blocks.append(_Block(inputs, outputs, stride, config.dropout))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(inputs)
        self.head = nn.Linear(inputs, spec.outputs)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Score a batch; see `ImageNetwork.forward`."""
        seen = functional.relu(self.norm(self.blocks(self.stem(self.normalized(image)))))
        scores: torch.Tensor = self.head(seen.mean(dim=(2, 3)))
        return scores


def _convolution(inputs: int, outputs: int, *, kernel: int, stride: int) -> nn.Conv2d:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution


def build_resnet(config: ResnetConfig, spec: ImageSpec) -> ResnetNetwork:
    """Build the residual network."""
    return ResnetNetwork(config, spec)

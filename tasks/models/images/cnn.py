"""A small convolutional network: each stage halves the picture and sees more in it."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from torch import nn

from tasks.models.mlp import Share
from tasks.models.spec import ImageNetwork, ImageSpec


class CnnConfig(BaseModel):
    """`model: {name: cnn, ...}`.

    Attributes:
        channels: Channels of each stage; every stage halves height and width.
        convolutions: Of each stage; the first of them has a stride of 2.
        dropout: Share of the last stage's values dropped in training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["cnn"] = "cnn"
    channels: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (32, 64, 128)
    convolutions: PositiveInt = 1
    dropout: Share = 0.0


class CnnNetwork(ImageNetwork):
    """Stages of 3 x 3 convolutions, each with batch normalisation and a ReLU, then one linear layer over every place.

    Batch normalisation is that of Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by
    Reducing Internal Covariate Shift" (ICML 2015).
    """

    def __init__(self, config: CnnConfig, spec: ImageSpec) -> None:
        super().__init__(spec)
        layers: list[nn.Module] = []
        inputs, height, width = spec.channels, spec.height, spec.width
        for channels in config.channels:
            for position in range(config.convolutions):
                layers += _convolution(inputs, channels, stride=2 if position == 0 else 1)
                inputs = channels
            height, width = (height + 1) // 2, (width + 1) // 2
        self.stages = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(inputs * height * width, spec.outputs)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Score a batch; see `ImageNetwork.forward`."""
        seen = self.stages(self.normalized(image))
        scores: torch.Tensor = self.head(self.dropout(seen.flatten(1)))
        return scores


def _convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    # The normalisation that follows takes away whatever a bias would add.
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def build_cnn(config: CnnConfig, spec: ImageSpec) -> CnnNetwork:
    """Build the small convolutional network."""
    return CnnNetwork(config, spec)

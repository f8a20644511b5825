"""Erase a rectangle (Zhong et al., "Random erasing data augmentation", AAAI 2020)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, model_validator

from tasks.images.augment.boxes import Boxes
from tasks.images.augment.chance import WHITE, Probability, as_levels, chosen, uniform


class ErasingConfig(BaseModel):
    """What is erased.

    Attributes:
        probability: That an image loses a rectangle.
        area: The least and the greatest share of the image's area; what would stand over the edge stays out.
        ratio: The least and the greatest height by width.
        fill: What takes its place: `black`, or `noise` (each pixel and channel drawn from 0 to 255).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: Probability = 0.5
    area: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)
    fill: Literal["black", "noise"] = "black"

    @model_validator(mode="after")
    def _in_order(self) -> ErasingConfig:
        if not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError(f"area: expected 0 < least <= greatest <= 1, got {list(self.area)}")
        if not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError(f"ratio: expected 0 < least <= greatest, got {list(self.ratio)}")
        return self


def erase(images: torch.Tensor, config: ErasingConfig, generator: torch.Generator) -> torch.Tensor:
    """Erase one rectangle in some images [N, C, H, W]."""
    _, _, height, width = images.shape
    where = chosen(images, generator, config.probability)
    area = uniform(images, generator, *config.area) * (height * width)
    ratio = uniform(images, generator, math.log(config.ratio[0]), math.log(config.ratio[1])).exp()
    tall = (area * ratio).sqrt().round().clamp(1, height)
    wide = (area / ratio).sqrt().round().clamp(1, width)
    top = (uniform(images, generator) * (height - tall + 1)).floor()
    left = (uniform(images, generator) * (width - wide + 1)).floor()
    inside = Boxes(top, left, top + tall, left + wide).mask(height, width) & where[:, None, None]
    if config.fill == "black":
        return images.masked_fill(inside[:, None], 0)
    drawn = torch.rand(images.shape, generator=generator, device=images.device) * WHITE
    return torch.where(inside[:, None], as_levels(drawn, images.dtype), images)

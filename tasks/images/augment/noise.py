"""Add Gaussian noise."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field

from tasks.images.augment.chance import WHITE, Probability, as_levels, chosen, pick, uniform


class NoiseConfig(BaseModel):
    """How much noise is added.

    Attributes:
        probability: That an image is changed at all.
        std: The greatest deviation, as a share of the range from black to white; each image draws its own from 0 on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: Probability = 1.0
    std: float = Field(default=0.05, gt=0, le=1)


def noise(images: torch.Tensor, config: NoiseConfig, generator: torch.Generator) -> torch.Tensor:
    """Add independent normal numbers to every pixel and channel of some images [N, C, H, W]."""
    where = chosen(images, generator, config.probability)
    std = uniform(images, generator, 0.0, config.std * WHITE)[:, None, None, None]
    drawn = torch.randn(images.shape, generator=generator, device=images.device)
    return pick(where, as_levels(images + std * drawn, images.dtype), images)

"""Mirror images."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict

from tasks.images.augment.chance import Probability, chosen, pick


class FlipConfig(BaseModel):
    """How often images are mirrored.

    Attributes:
        horizontal: Probability that left and right change places.
        vertical: Probability that top and bottom do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizontal: Probability = 0.0
    vertical: Probability = 0.0


def flip(images: torch.Tensor, config: FlipConfig, generator: torch.Generator) -> torch.Tensor:
    """Mirror some images [N, C, H, W]; pixels only change places."""
    for axis, probability in ((3, config.horizontal), (2, config.vertical)):
        if probability:
            images = pick(chosen(images, generator, probability), images.flip(axis), images)
    return images

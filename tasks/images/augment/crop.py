"""Cut a frame of the same size out of a padded image."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch.nn import functional

from tasks.images.augment.chance import Probability, chosen, uniform

Fill = Literal["zeros", "reflect"]


class CropConfig(BaseModel):
    """How images are cut.

    Attributes:
        probability: That an image is cut at a place drawn at random; else it stays.
        padding: Pixels put around the image before.
        fill: What they are: black, or the picture mirrored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: Probability = 1.0
    padding: PositiveInt = 4
    fill: Fill = "zeros"


def crop(images: torch.Tensor, config: CropConfig, generator: torch.Generator) -> torch.Tensor:
    """Move some images [N, C, H, W] by whole pixels, at most `padding` each way; pixels keep their levels.

    Raises:
        ValueError: `reflect` has too little picture to mirror (the padding is not below both sides).
    """
    _, _, height, width = images.shape
    size = config.padding
    if config.fill == "reflect" and size >= min(height, width):
        raise ValueError(f"crop.padding {size}: must be below the images' {height} x {width} pixels to be mirrored")
    where = chosen(images, generator, config.probability)
    top, left = (torch.where(where, _offset(images, size, generator), size) for _ in range(2))
    rows = top[:, None] + torch.arange(height, device=images.device)
    columns = left[:, None] + torch.arange(width, device=images.device)
    padded = functional.pad(
        images, (size, size, size, size), mode="reflect" if config.fill == "reflect" else "constant"
    )
    image = torch.arange(len(images), device=images.device)[:, None, None]
    # An index on both sides of a slice puts the channels last.
    return padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def _offset(images: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    return (uniform(images, generator) * (2 * size + 1)).to(torch.int64).clamp(max=2 * size)

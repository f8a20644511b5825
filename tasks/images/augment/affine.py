"""Rotate, scale and move images, all in one resampling."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch.nn import functional

from tasks.images.augment.chance import Probability, as_levels, chosen, pick, uniform

Padding = Literal["zeros", "border", "reflection"]


class AffineConfig(BaseModel):
    """How far images are turned, scaled and moved.

    Attributes:
        probability: That an image is changed at all.
        rotation: The most degrees, either way.
        scale: The least and the greatest factor; above 1 the picture grows.
        translation: The most that the picture moves, either way, as a share of its width and height.
        padding: What appears behind the edge: black, the edge's pixels, or the picture mirrored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: Probability = 1.0
    rotation: float = Field(default=0.0, ge=0, le=180)
    scale: tuple[float, float] = (1.0, 1.0)
    translation: float = Field(default=0.0, ge=0, le=1)
    padding: Padding = "zeros"

    @model_validator(mode="after")
    def _in_order(self) -> AffineConfig:
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale: expected 0 < least <= greatest, got {list(self.scale)}")
        return self


def affine(images: torch.Tensor, config: AffineConfig, generator: torch.Generator) -> torch.Tensor:
    """Turn, scale and move some images [N, C, H, W] about their centres, with bilinear resampling."""
    where = chosen(images, generator, config.probability)
    angle = uniform(images, generator, -config.rotation, config.rotation) * (math.pi / 180)
    # Uniform in the logarithm, so that growing and shrinking by a factor are as likely.
    scale = uniform(images, generator, math.log(config.scale[0]), math.log(config.scale[1])).exp()
    right, down = (uniform(images, generator, -config.translation, config.translation) for _ in range(2))
    matrix = _sampling_matrix((angle, scale, right, down), images.shape[2] / images.shape[3])
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    source = images if images.is_floating_point() else images.to(torch.float32)
    moved = functional.grid_sample(
        source, grid.to(source.dtype), mode="bilinear", padding_mode=config.padding, align_corners=False
    )
    return pick(where, as_levels(moved, images.dtype), images)


def _sampling_matrix(drawn: tuple[torch.Tensor, ...], aspect: float) -> torch.Tensor:
    """Return where each output pixel is taken from, [N, 2, 3], in coordinates of -1 to 1 along each side.

    Args:
        drawn: Angle in radians, factor, and shares of the sides to the right and down, each [N].
        aspect: Height by width: a turn must not shear what is not square.
    """
    angle, scale, right, down = drawn
    cosine, sine = torch.cos(angle) / scale, torch.sin(angle) / scale
    # From output to source is the inverse: first back by the shift (sides are 2 long), then back by turn and scale.
    x, y = -2 * right, -2 * down
    first = torch.stack([cosine, sine * aspect, cosine * x + sine * aspect * y], dim=1)
    second = torch.stack([-sine / aspect, cosine, -sine / aspect * x + cosine * y], dim=1)
    return torch.stack([first, second], dim=1)

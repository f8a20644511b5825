"""Random numbers for the images of a batch, one draw each, on the batch's device."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

Probability = Annotated[float, Field(ge=0, le=1)]

# The brightest level of a pixel.
WHITE = 255.0


def uniform(images: torch.Tensor, generator: torch.Generator, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
    """Draw one number for each image, float32 [N], from `low` up to `high`."""
    drawn = torch.rand(len(images), generator=generator, device=images.device)
    return low + (high - low) * drawn


def chosen(images: torch.Tensor, generator: torch.Generator, probability: float) -> torch.Tensor:
    """Draw whether each image is changed, bool [N]."""
    return uniform(images, generator) < probability


def pick(where: torch.Tensor, changed: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return the changed images where `where` [N] says so, else the images."""
    return torch.where(where[:, None, None, None], changed, images)


def as_levels(changed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return float levels cut to 0 to 255, rounded where the type holds whole numbers."""
    cut = changed.clamp(0.0, WHITE)
    return cut.to(dtype) if dtype.is_floating_point else cut.round().to(dtype)

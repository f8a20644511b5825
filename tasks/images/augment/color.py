"""Change brightness, contrast, saturation and hue."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field

from tasks.images.augment.chance import WHITE, Probability, as_levels, chosen, pick, uniform

# ITU-R BT.601 luma.
_LUMA = (0.299, 0.587, 0.114)


class ColorConfig(BaseModel):
    """How far colours are changed.

    Attributes:
        probability: That an image is changed at all.
        brightness: Levels are multiplied by a factor from 1 - brightness to 1 + brightness.
        contrast: Distances from the image's mean grey are.
        saturation: Distances from each pixel's grey are; colour only.
        hue: The most that hues turn, either way, as a share of the whole circle; colour only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: Probability = 1.0
    brightness: float = Field(default=0.0, ge=0, le=1)
    contrast: float = Field(default=0.0, ge=0, le=1)
    saturation: float = Field(default=0.0, ge=0, le=1)
    hue: float = Field(default=0.0, ge=0, le=0.5)

    @property
    def needs_color(self) -> bool:
        """Whether grey images cannot be changed so."""
        return self.saturation > 0 or self.hue > 0


def color(images: torch.Tensor, config: ColorConfig, generator: torch.Generator) -> torch.Tensor:
    """Change the colours of some images [N, C, H, W]: brightness, contrast, saturation, then hue.

    Raises:
        ValueError: Saturation or hue is to change, and the images do not have three channels.
    """
    if config.needs_color and images.shape[1] != 3:
        raise ValueError(f"color.saturation and color.hue need 3 channels, got {images.shape[1]}")
    where = chosen(images, generator, config.probability)
    changed = images if images.is_floating_point() else images.to(torch.float32)
    if config.brightness:
        changed = changed * _factor(images, config.brightness, generator)
    if config.contrast:
        changed = _blend(changed, _mean_grey(changed), _factor(images, config.contrast, generator))
    if config.saturation:
        changed = _blend(changed, _grey(changed), _factor(images, config.saturation, generator))
    if config.hue:
        turn = uniform(images, generator, -config.hue, config.hue)[:, None, None]
        changed = _turn_hue(changed.clamp(0.0, WHITE), turn)
    return pick(where, as_levels(changed, images.dtype), images)


def _factor(images: torch.Tensor, most: float, generator: torch.Generator) -> torch.Tensor:
    return uniform(images, generator, 1 - most, 1 + most)[:, None, None, None]


def _blend(images: torch.Tensor, towards: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    return towards + (images - towards) * factor


def _grey(images: torch.Tensor) -> torch.Tensor:
    """Return the greys [N, 1, H, W]."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(dim=1)
    return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[:, None]


def _mean_grey(images: torch.Tensor) -> torch.Tensor:
    # Rows first: many short sums are cut among threads between sums, one long one is cut in itself, and its last bits
    # would hang on the number of threads.
    return _grey(images).mean(dim=3, keepdim=True).mean(dim=2, keepdim=True)


def _turn_hue(images: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Turn hues in the hexagonal HSV model (Smith, "Color gamut transform pairs", SIGGRAPH 1978).

    Args:
        images: [N, 3, H, W], from 0 to 255.
        turn: [N, 1, 1], in whole circles.
    """
    red, green, blue = images.unbind(dim=1)
    value, _ = images.max(dim=1)
    chroma = value - images.min(dim=1).values
    safe = torch.where(chroma > 0, chroma, torch.ones_like(chroma))
    sixth = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = sixth + 6 * turn
    # Each channel falls from the value by the chroma, as far as its own hue (red 5, green 3, blue 1 sixths) is away.
    places = torch.tensor([5.0, 3.0, 1.0], device=images.device, dtype=images.dtype)[:, None, None]
    phase = torch.remainder(places + hue[:, None], 6.0)
    fall = torch.minimum(phase, 4 - phase).clamp(0.0, 1.0)
    return value[:, None] - chroma[:, None] * fall

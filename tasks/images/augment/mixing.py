"""Mix two images and their targets: mixup and CutMix."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import betaincinv

from tasks.images.augment.boxes import Boxes
from tasks.images.augment.chance import Probability, as_levels, chosen, pick, uniform

_QUANTILES = 4097


class MixConfig(BaseModel):
    """How images are mixed.

    Attributes:
        probability: That an image is mixed with another of its batch.
        alpha: The share that stays is drawn from Beta(alpha, alpha): small values keep most images nearly whole, 1
            makes every share as likely.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: Probability = 1.0
    alpha: float = Field(default=1.0, gt=0, le=100)


Batch = tuple[torch.Tensor, torch.Tensor]


def mixup(batch: Batch, config: MixConfig, generator: torch.Generator) -> Batch:
    """Blend some images with others (Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018).

    Args:
        batch: Images [N, C, H, W] and soft targets, float [N, K].
        config: How.
        generator: Of the batch's device.

    Returns:
        Images and targets; each target is mixed in the proportion of its image.
    """
    images, targets = batch
    kept, partner = _draw(images, config, generator)
    share = kept[:, None, None, None]
    source = images if images.is_floating_point() else images.to(torch.float32)
    blended = pick(kept < 1, as_levels(share * source + (1 - share) * source[partner], images.dtype), images)
    return blended, _mix_targets(targets, kept, partner)


def cutmix(batch: Batch, config: MixConfig, generator: torch.Generator) -> Batch:
    """Paste a rectangle of others into some images (Yun et al., "CutMix", ICCV 2019).

    Args:
        batch: Images [N, C, H, W] and soft targets, float [N, K].
        config: How.
        generator: Of the batch's device.

    Returns:
        Images and targets; each target is mixed in the proportion of the pixels, counted.
    """
    images, targets = batch
    _, _, height, width = images.shape
    kept, partner = _draw(images, config, generator)
    side = (1 - kept).sqrt()
    middle_down, middle_right = (uniform(images, generator) * length for length in (height, width))
    boxes = Boxes(
        (middle_down - side * height / 2).round().clamp(0, height),
        (middle_right - side * width / 2).round().clamp(0, width),
        (middle_down + side * height / 2).round().clamp(0, height),
        (middle_right + side * width / 2).round().clamp(0, width),
    )
    pasted = torch.where(boxes.mask(height, width)[:, None], images[partner], images)
    return pasted, _mix_targets(targets, 1 - boxes.area / (height * width), partner)


def _draw(images: torch.Tensor, config: MixConfig, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the share of each image that stays, float32 [N], and the index of its partner, int64 [N]."""
    where = chosen(images, generator, config.probability)
    at = uniform(images, generator) * (_QUANTILES - 1)
    quantiles = torch.from_numpy(_beta_quantiles(config.alpha)).to(images.device)
    below = at.floor().clamp(max=_QUANTILES - 2)
    index = below.to(torch.int64)
    share = torch.lerp(quantiles[index], quantiles[index + 1], at - below)
    partner = torch.randperm(len(images), generator=generator, device=images.device)
    return torch.where(where, share, torch.ones_like(share)), partner


@lru_cache(maxsize=16)
def _beta_quantiles(alpha: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    # torch's own Beta distribution takes no generator; a table of quantiles turns one uniform draw into the share.
    return np.asarray(betaincinv(alpha, alpha, np.linspace(0, 1, _QUANTILES)), dtype=np.float32)


def _mix_targets(targets: torch.Tensor, kept: torch.Tensor, partner: torch.Tensor) -> torch.Tensor:
    share = kept[:, None].to(targets.dtype)
    return share * targets + (1 - share) * targets[partner]

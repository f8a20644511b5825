"""The families of augmentation, composed as a config says."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, model_validator
from torch.nn import functional

from tasks.images.augment.affine import AffineConfig, affine
from tasks.images.augment.chance import as_levels, pick, uniform
from tasks.images.augment.color import ColorConfig, color
from tasks.images.augment.crop import CropConfig, crop
from tasks.images.augment.erasing import ErasingConfig, erase
from tasks.images.augment.flip import FlipConfig, flip
from tasks.images.augment.mixing import Batch, MixConfig, cutmix, mixup
from tasks.images.augment.noise import NoiseConfig, noise


class ImageAugmentConfig(BaseModel):
    """Which augmentations there are; what is not named is off.

    They come in this order. `mixup` and `cutmix` are alternatives: an image gets at most one of them, so their
    probabilities add up to at most 1.

    Attributes:
        flip: Mirrors.
        affine: Rotation, scaling, translation.
        crop: Padding and cutting.
        color: Brightness, contrast, saturation, hue.
        noise: Gaussian noise.
        erasing: A rectangle is erased.
        mixup: Images and targets are blended.
        cutmix: A rectangle comes from another image, and its share of the target with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip: FlipConfig | None = None
    affine: AffineConfig | None = None
    crop: CropConfig | None = None
    color: ColorConfig | None = None
    noise: NoiseConfig | None = None
    erasing: ErasingConfig | None = None
    mixup: MixConfig | None = None
    cutmix: MixConfig | None = None

    @model_validator(mode="after")
    def _one_mix(self) -> ImageAugmentConfig:
        both = (self.mixup.probability if self.mixup else 0) + (self.cutmix.probability if self.cutmix else 0)
        if both > 1:
            raise ValueError(f"mixup.probability and cutmix.probability must add up to at most 1, got {both:g}")
        return self

    @property
    def for_training(self) -> ImageAugmentConfig:
        """What training itself has to do: all of it."""
        return self

    @property
    def mixes(self) -> bool:
        """Whether targets are mixed, so that they are soft."""
        return self.mixup is not None or self.cutmix is not None


class Augmentation:
    """Augments batches of images on their device."""

    def __init__(self, config: ImageAugmentConfig, classes: int) -> None:
        """Take what to do, and the number of classes K."""
        self._config = config
        self._classes = classes

    def __call__(self, images: torch.Tensor, targets: torch.Tensor, generator: torch.Generator) -> Batch:
        """Augment one batch; the inputs stay as they are.

        Args:
            images: uint8 or float [N, C, H, W], levels of 0 to 255.
            targets: Class positions, int64 [N], or soft targets, float [N, K].
            generator: Of the images' device; the same state gives the same result.

        Returns:
            Images of the same shape and type, and soft targets, float32 [N, K].
        """
        soft = targets if targets.is_floating_point() else functional.one_hot(targets, self._classes).to(torch.float32)
        return self._mix((self.change(images, generator), soft), generator)

    def change(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Do all that leaves targets as they are: everything but mixing."""
        config = self._config
        given = images.dtype
        if not given.is_floating_point and (config.affine or config.color or config.noise):
            # Rounded once at the end, not after each family.
            images = images.to(torch.float32)
        if config.flip is not None:
            images = flip(images, config.flip, generator)
        if config.affine is not None:
            images = affine(images, config.affine, generator)
        if config.crop is not None:
            images = crop(images, config.crop, generator)
        if config.color is not None:
            images = color(images, config.color, generator)
        if config.noise is not None:
            images = noise(images, config.noise, generator)
        if config.erasing is not None:
            images = erase(images, config.erasing, generator)
        return images if images.dtype == given else as_levels(images, given)

    def _mix(self, batch: Batch, generator: torch.Generator) -> Batch:
        first, second = self._config.mixup, self._config.cutmix
        if first is None or second is None:
            batch = batch if first is None else mixup(batch, first, generator)
            return batch if second is None else cutmix(batch, second, generator)
        always = {"probability": 1.0}
        drawn = uniform(batch[0], generator)
        blended = mixup(batch, first.model_copy(update=always), generator)
        pasted = cutmix(batch, second.model_copy(update=always), generator)
        to_paste = drawn < first.probability + second.probability
        to_blend = drawn < first.probability
        images = pick(to_blend, blended[0], pick(to_paste, pasted[0], batch[0]))
        targets = torch.where(to_paste[:, None], pasted[1], batch[1])
        return images, torch.where(to_blend[:, None], blended[1], targets)

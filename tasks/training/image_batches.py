"""Augmentation of training batches of images, on the device that trains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from tasks.images.augment.compose import Augmentation, ImageAugmentConfig
from tasks.training.splits import Batch


@dataclass(frozen=True)
class ImageChange:
    """Augments a batch, as a pure function of the seed and the step: nothing to save for a resume.

    Attributes:
        config: What is done.
        classes: K.
        seed: With the step, decides the draws.
        device: Where it is done.
    """

    config: ImageAugmentConfig
    classes: int
    seed: int
    device: str

    def __call__(self, batch: Batch, step: int) -> Batch:
        """Return an augmented batch on the device.

        Args:
            batch: Pixels uint8 [N, H, W, C] and classes int64 [N].
            step: The batch's number in the whole run.

        Returns:
            Pixels of the same shape and type, and the classes, or where images are mixed soft ones, float32 [N, K].
        """
        pixels, target = (each.to(self.device) for each in batch)
        drawn = np.random.SeedSequence([self.seed, step]).generate_state(1, np.uint64)[0]
        generator = torch.Generator(self.device).manual_seed(int(drawn >> np.uint64(1)))
        images = pixels.permute(0, 3, 1, 2)
        augmentation = Augmentation(self.config, self.classes)
        if self.config.mixes:
            images, target = augmentation(images, target, generator)
        else:
            images = augmentation.change(images, generator)
        return images.permute(0, 2, 3, 1), target

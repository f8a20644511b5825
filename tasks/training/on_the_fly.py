"""What is drawn anew while training, as pure functions of the seed and the pass or step: so nothing to save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tasks.augmentation.balance import planned_rows
from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.noise import Noise
from tasks.augmentation.statistics import Spread, count_codes
from tasks.images.augment.compose import ImageAugmentConfig
from tasks.preprocessing.constants import Preprocessing
from tasks.training.image_batches import ImageChange
from tasks.training.splits import Batch, SplitTensors

Augment = AugmentConfig | ImageAugmentConfig


class BalancedPass:
    """One pass over the training split in which each class occurs as often as it shall.

    Every row of a class occurs equally often, but for a remainder that each pass draws anew: under-sampling shows
    other rows in every pass, and loses none of them for good.
    """

    def __init__(self, target: torch.Tensor, wanted: Sequence[int]) -> None:
        """Take the classes.

        Args:
            target: int64 `[N]`.
            wanted: How often each class shall occur in a pass; a class that is wanted has rows.
        """
        self._members = [torch.nonzero(target == place)[:, 0] for place in range(len(wanted))]
        self._wanted = tuple(wanted)

    def __len__(self) -> int:
        return sum(self._wanted)

    def order(self, generator: torch.Generator) -> torch.Tensor:
        """Return the rows of one pass, shuffled, int64 `[len(self)]`."""
        parts = []
        for members, wanted in zip(self._members, self._wanted, strict=True):
            if wanted:
                whole, rest = divmod(wanted, len(members))
                drawn = torch.randperm(len(members), generator=generator)[:rest]
                parts += [members.repeat(whole), members[drawn]]
        rows = torch.cat(parts)
        return rows[torch.randperm(len(rows), generator=generator)]


@dataclass(frozen=True)
class BatchNoise:
    """Noise on the features of training batches."""

    noise: Noise
    seed: int

    def __call__(self, batch: Batch, step: int) -> Batch:
        """Change a batch in place and return it.

        Args:
            batch: On the CPU, and nobody else's.
            step: The step of the whole run, which decides the draws.
        """
        numeric, categorical, _ = batch
        self.noise.disturb(numeric.numpy(), categorical.numpy(), np.random.default_rng([self.seed, step]))
        return batch


def balanced_pass(train: SplitTensors, config: Augment, constants: Preprocessing) -> BalancedPass | None:
    """Return how rows are drawn where the config balances batches, else None.

    Raises:
        ConfigError: A class is unknown, or its share cannot be reached.
        TrainingError: A class has no row.
    """
    if isinstance(config, ImageAugmentConfig) or config.when != "batch" or config.balance.method == "none":
        return None
    target = constants.class_target
    counts = np.bincount(train.target.numpy(), minlength=len(target.classes))
    return BalancedPass(train.target, planned_rows(counts, config.balance, target).tolist())


def batch_change(
    train: SplitTensors, config: Augment, constants: Preprocessing, *, seed: int, device: str
) -> BatchNoise | ImageChange | None:
    """Return what is done to every batch, noise on tables or the augmentation of images; None where nothing is.

    Args:
        train: The training split.
        config: What is asked for.
        constants: What made the split.
        seed: Of the draws for images; noise has its own.
        device: Where images are augmented.
    """
    if isinstance(config, ImageAugmentConfig):
        if config == ImageAugmentConfig():
            return None
        return ImageChange(config, len(constants.class_target.classes), seed, device)
    return batch_noise(train, config, constants)


def batch_noise(train: SplitTensors, config: AugmentConfig, constants: Preprocessing) -> BatchNoise | None:
    """Return the noise, fitted to the training split, where the config puts noise on batches, else None."""
    if config.when != "batch" or config.noise is None:
        return None
    codes = count_codes(train.categorical.numpy(), constants)
    return BatchNoise(Noise.of(config.noise, Spread.of(train.numeric.numpy()), codes), config.noise.seed)

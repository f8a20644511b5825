"""Weights of the classes in the loss."""

from __future__ import annotations

from typing import Literal

import torch

from tasks.augmentation.classes import ByClass, by_index
from tasks.preprocessing.targets import ClassTarget, Target

ClassWeights = Literal["none", "balanced"] | ByClass


def class_weights(given: ClassWeights, labels: torch.Tensor, target: Target) -> torch.Tensor | None:
    """Return the weight of each class, float32 `[C]`, or None where all weigh the same.

    `balanced` weighs a class by `N / (C * rows of the class)`, so that all classes together weigh as much as each
    other; a class without rows weighs nothing. Of weights by name, a class that is not named weighs 1.

    Args:
        given: What the config says.
        labels: Classes of the training rows, int64 `[N]`.
        target: The classes' names; a problem without classes has no weights, which the config's check sees to.

    Raises:
        ConfigError: A name is no class.
    """
    if given == "none":
        return None
    assert isinstance(target, ClassTarget), target.problem
    classes = len(target.classes)
    if given == "balanced":
        counts = torch.bincount(labels, minlength=classes).double()
        weights = torch.where(counts > 0, len(labels) / (classes * counts.clamp(min=1)), 0.0)
    else:
        weights = torch.ones(classes, dtype=torch.float64)
        for place, weight in by_index(given, target, "train.class_weights").items():
            weights[place] = weight
    return weights.float()

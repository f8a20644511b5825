"""Batches of random images and generators for the tests of augmentation."""

import torch


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(count: int = 16, channels: int = 3, height: int = 12, width: int = 10, seed: int = 0) -> torch.Tensor:
    """uint8 [count, channels, height, width]."""
    return torch.randint(0, 256, (count, channels, height, width), generator=seeded(seed), dtype=torch.uint8)

"""Mean and deviation of each channel, exact: sums of whole numbers, whatever the partitions and their order."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt

from tasks.images.layout import Pixels

_BLOCK = 1 << 18


class ChannelStatistics(BaseModel):
    """Sums over the pixels of each channel; merging is exact, so it is associative and order-free.

    Attributes:
        count: Pixels of one channel.
        sums: Sum of each channel's values (0 to 255).
        squares: Sum of their squares.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: NonNegativeInt
    sums: tuple[NonNegativeInt, ...]
    squares: tuple[NonNegativeInt, ...]

    @staticmethod
    def of(pixels: Pixels) -> ChannelStatistics:
        """Sum up images, uint8 [N, H, W, C]."""
        channels = pixels.shape[3]
        flat = pixels.reshape(-1, channels)
        sums, squares = np.zeros(channels), np.zeros(channels)
        for start in range(0, len(flat), _BLOCK):
            # float64 holds these sums exactly (2**53 is 10**11 white pixels), and its matrix products are the fastest.
            values = flat[start : start + _BLOCK].astype(np.float64)
            sums += np.ones(len(values)) @ values
            squares += np.diagonal(values.T @ values)
        return ChannelStatistics(
            count=len(flat), sums=tuple(int(each) for each in sums), squares=tuple(int(each) for each in squares)
        )

    def merge(self, other: ChannelStatistics) -> ChannelStatistics:
        """Return the statistics of both sets of images."""
        return ChannelStatistics(
            count=self.count + other.count,
            sums=tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            squares=tuple(a + b for a, b in zip(self.squares, other.squares, strict=True)),
        )

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean of each channel, in levels of 0 to 255."""
        return tuple(float(Fraction(each, self.count)) for each in self.sums)

    @property
    def std(self) -> tuple[float, ...]:
        """Deviation of each channel over all pixels, in levels; 1 for a constant channel, which is only centred."""
        variances = (
            Fraction(square * self.count - each * each, self.count * self.count)
            for each, square in zip(self.sums, self.squares, strict=True)
        )
        return tuple(math.sqrt(variance) or 1.0 for variance in variances)

"""Gaussian noise on numeric features and swapped codes of categorical ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from tasks.augmentation.statistics import Spread


class NoiseConfig(BaseModel):
    """Noise on the finished features.

    Attributes:
        share: Standard deviation of the noise, as a share of each feature's own over the training split.
        swap: Probability that a code is replaced by one drawn from its column's frequencies in the training split.
        copies: With `when: dataset`, how many noisy copies are added of each row. On the fly every row is changed,
            each time it is shown.
        seed: Decides the noise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Annotated[float, Field(ge=0, le=10)] = 0.1
    swap: Annotated[float, Field(ge=0, le=1)] = 0.0
    copies: PositiveInt = 1
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _something(self) -> NoiseConfig:
        if not self.share and not self.swap:
            raise ValueError("share and swap are both 0, which is no noise; leave the section out")
        return self


@dataclass(frozen=True)
class Noise:
    """Noise fitted to a training split.

    Attributes:
        scale: float32 [D], standard deviation of the noise; 0 for features of at most two values.
        low: float32 [D], the least value in training, below which noise does not lead; `high` likewise.
        cumulative: For each categorical feature float64 [cardinality], cumulated shares of the codes.
        swap: See `NoiseConfig`.
    """

    scale: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    cumulative: tuple[NDArray[np.float64], ...]
    swap: float

    @classmethod
    def of(cls, config: NoiseConfig, spread: Spread, codes: tuple[NDArray[np.int64], ...]) -> Noise:
        """Fit the noise to the statistics of the training split.

        Args:
            config: How much.
            spread: Of the numeric features.
            codes: For each categorical feature int64 [cardinality], how often each code occurs.
        """
        scale = np.where(spread.two_valued, 0.0, config.share * spread.deviation)
        return cls(
            scale.astype(np.float32),
            spread.low.astype(np.float32),
            spread.high.astype(np.float32),
            tuple(np.cumsum(count) / max(1, count.sum()) for count in codes),
            config.swap,
        )

    def disturb(self, numeric: NDArray[np.float32], codes: NDArray[np.int64], generator: np.random.Generator) -> None:
        """Change features in place.

        Args:
            numeric: float32 [N, D].
            codes: int64 [N, K].
            generator: Gives every draw.
        """
        noisy = np.flatnonzero(self.scale)
        draws = generator.standard_normal((len(numeric), len(noisy)), dtype=np.float32) * self.scale[noisy]
        numeric[:, noisy] = np.clip(numeric[:, noisy] + draws, self.low[noisy], self.high[noisy])
        if self.swap:
            for column, cumulative in enumerate(self.cumulative):
                rows = np.flatnonzero(generator.random(len(codes)) < self.swap)
                codes[rows, column] = np.searchsorted(cumulative, generator.random(len(rows)), side="right")

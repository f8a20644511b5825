"""The config section `augment`: what is done to the training split, and whether once or while training."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from tasks.augmentation.balance import INTERPOLATING, BalanceConfig
from tasks.augmentation.noise import NoiseConfig


class AugmentConfig(BaseModel):
    """How the training split is augmented and balanced.

    Attributes:
        when: `dataset` writes the augmented training split once; `batch` draws anew in every pass of the training.
        balance: How often each class occurs.
        noise: Noise on the features; none by default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Literal["dataset", "batch"] = "dataset"
    balance: BalanceConfig = BalanceConfig()
    noise: NoiseConfig | None = None

    @model_validator(mode="after")
    def _possible(self) -> AugmentConfig:
        if self.when == "batch" and self.balance.method in INTERPOLATING:
            raise ValueError(
                f"balance.method `{self.balance.method}` looks for neighbours among all rows of a class, which a batch "
                "does not hold\n  do: write `when: dataset`, or take method over or under"
            )
        if self.when == "batch" and self.noise is not None and self.noise.copies > 1:
            raise ValueError(
                f"noise.copies is {self.noise.copies}, but with `when: batch` each row is changed whenever it is shown "
                "and none is added\n  do: leave noise.copies out, or write `when: dataset`"
            )
        return self

    @property
    def asks(self) -> bool:
        """Whether anything is to be done at all."""
        return self.balance.method != "none" or self.noise is not None

    @property
    def rewrites(self) -> bool:
        """Whether a new dataset is to be written."""
        return self.when == "dataset" and self.asks

    @property
    def for_training(self) -> AugmentConfig:
        """What training itself has to do: everything with `when: batch`, else nothing."""
        return self if self.when == "batch" else AugmentConfig()

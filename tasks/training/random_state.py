"""The state of everything random, in a training's checkpoints."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from tasks.training.randomness import generators, set_generators


class RandomState(pl.Callback):
    """Saves the state of every generator with a checkpoint, as tensors, and restores it where training goes on."""

    def __init__(self) -> None:
        self._restored: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the generators' states: tensors and plain numbers only, so that no unpickling is needed."""
        return generators()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the states until the first step: setting up may draw numbers too."""
        self._restored = state_dict

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Continue with the numbers that would have come next."""
        if self._restored is not None:
            set_generators(self._restored)

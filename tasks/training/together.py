"""What keeps the processes of one training alike."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from tasks.training.module import NetworkModule
from tasks.training.processes import become_mean
from tasks.training.randomness import seed_all

_STATISTICS = ("running_mean", "running_var")


class Together(pl.Callback):
    """Keeps the processes alike, so that a checkpoint of the first one is a checkpoint of all.

    Gradients are Lightning's affair. What remains are the statistics that normalisations keep of their inputs, which
    become the mean over the processes after every batch; the losses, which become the mean before anyone looks at a
    round or keeps it; and random draws, which have to differ between processes: every batch seeds them anew, by its
    number and the process's, so that there is no state to keep.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._seen = 0
        self._shared = 0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Begin with a round of which no batch was seen."""
        self._seen = self._shared = 0

    def on_train_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: object,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Seed every generator for this batch and this process."""
        assert isinstance(pl_module, NetworkModule)
        number = trainer.current_epoch * len(pl_module.losses) + batch_idx
        seed_all(self._seed * 1_000_003 + number * trainer.world_size + trainer.global_rank)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        pl_module: pl.LightningModule,
        outputs: object,  # noqa: ARG002
        batch: object,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Take the mean of what normalisations have seen."""
        self._seen = batch_idx + 1
        become_mean([each for name, each in pl_module.named_buffers() if name.endswith(_STATISTICS)])

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Share the losses of the round."""
        self._share_losses(pl_module)

    def on_save_checkpoint(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        pl_module: pl.LightningModule,
        checkpoint: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Share the losses that a checkpoint within a round keeps; Lightning asks the module for them after this."""
        self._share_losses(pl_module)

    def _share_losses(self, module: pl.LightningModule) -> None:
        assert isinstance(module, NetworkModule)
        if self._seen > self._shared:
            become_mean([module.losses[self._shared : self._seen]])
            self._shared = self._seen

    def state_dict(self) -> dict[str, Any]:
        """Return how many losses of the round a checkpoint holds, all of them shared."""
        return {"shared": self._seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the checkpoint was written."""
        self._seen = self._shared = int(state_dict["shared"])

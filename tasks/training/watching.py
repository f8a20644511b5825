"""What people see of a training: its progress, and its records in the logs. None of it changes a weight."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytorch_lightning as pl

from tasks.progress import measured
from tasks.training.logs import Log
from tasks.training.module import NetworkModule
from tasks.training.selection import Selection

# Portions in which steps are counted are at least this long, so that counting them costs nothing.
_PORTION_SECONDS = 0.2


class Watch(pl.Callback):
    """Counts steps for a progress bar and hands out, now and then, what was measured."""

    def __init__(self, advance: Callable[[int], None], selection: Selection, logs: list[Log], every: int) -> None:
        """Begin.

        Args:
            advance: Is told how many more steps were made.
            selection: Holds the history; called before this one.
            logs: Where records go, besides to who reads the progress.
            every: Steps between two records.
        """
        self._advance = advance
        self._selection = selection
        self._logs = logs
        self._every = every
        self._counted = -1
        self._told = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Count from here."""
        self._counted = trainer.global_step

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,  # noqa: ARG002
        batch: object,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Count, and record the loss of the round so far."""
        assert isinstance(pl_module, NetworkModule)
        batches = batch_idx + 1
        if batches % pl_module.config.accumulate:
            return
        step = trainer.global_step
        if time.monotonic() - self._told > _PORTION_SECONDS or batches == len(pl_module.losses):
            self._told = time.monotonic()
            self._advance(step - self._counted)
            self._counted = step
        if step % self._every == 0:
            pl_module.require_finite()
            recent = min(batches, self._every * pl_module.config.accumulate)
            loss = float(pl_module.losses[batches - recent : batches].mean())
            self._record(trainer, {"train_loss": loss, "learning_rate": pl_module.learning_rate(step - 1)})

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Record what validation has measured."""
        judged = {name: value for name, value in self._selection.history[-1].items() if name not in {"round", "steps"}}
        self._record(trainer, {f"round/{name}": value for name, value in judged.items()})
        measured("round", self._selection.history[-1])

    def on_save_checkpoint(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        pl_module: pl.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Bring to the disk what a run that goes on from here must find there."""
        for log in self._logs:
            log.flush()

    def _record(self, trainer: pl.Trainer, values: Mapping[str, float]) -> None:
        step = int(trainer.global_step)
        for log in self._logs:
            log.write(step, values)
        measured("training", {"step": step, **values})

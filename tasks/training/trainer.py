"""Lightning's Trainer, set up to be quiet, deterministic and resumable."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytorch_lightning as pl
from pydantic import BaseModel, ConfigDict, PositiveInt

from tasks.training.optimization import OptimizerConfig
from tasks.training.recovery import AtomicCheckpointIO

_LOUD = ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric")


class MachineConfig(BaseModel):
    """What the network is trained on.

    Attributes:
        accelerator: Lightning's name for it: `auto` takes a GPU where there is one.
        devices: How many; more than one is not supported yet.
        precision: Lightning's name for the precision of training. The kept weights are float32 in any case.
        threads: Threads of torch on the CPU; the machine's cores by default. Another number gives other last bits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    devices: Literal[1] = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    threads: PositiveInt | None = None

    def thread_count(self) -> int:
        """Return the number of threads to use."""
        return self.threads or os.cpu_count() or 1


class StepProgress(pl.Callback):
    """Reports every round's steps as they are made, in a few portions."""

    def __init__(self, advance: Callable[[int], None], portion: int) -> None:
        self._advance = advance
        self._portion = portion

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        pl_module: pl.LightningModule,  # noqa: ARG002
        outputs: object,  # noqa: ARG002
        batch: object,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Count."""
        if (batch_idx + 1) % self._portion == 0:
            self._advance(self._portion)


def build_trainer(
    machine: MachineConfig, optimizer: OptimizerConfig, *, rounds: int, callbacks: list[pl.Callback]
) -> pl.Trainer:
    """Build a Trainer without loggers, bars, summaries or folders of its own.

    Args:
        machine: Where it runs.
        optimizer: For the length at which gradients are cut.
        rounds: Lightning's epochs.
        callbacks: One of them must be a `Checkpoint`, or Lightning adds its own.
    """
    with quiet():
        return pl.Trainer(
            accelerator=machine.accelerator,
            devices=machine.devices,
            precision=machine.precision,
            max_epochs=rounds,
            callbacks=callbacks,
            gradient_clip_val=optimizer.gradient_norm or None,
            deterministic=True,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            logger=False,
            plugins=[AtomicCheckpointIO()],
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Lightning's banners, tips and advice, which address who wrote the loop, not who uses it."""
    loggers = [logging.getLogger(name) for name in _LOUD]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for module in (r"pytorch_lightning.*", r"lightning_fabric.*"):
            warnings.filterwarnings("ignore", module=module)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def fit(trainer: pl.Trainer, module: pl.LightningModule, loaders: tuple[Any, Any], resume: str | None) -> None:
    """Run a Trainer's fit quietly.

    Args:
        trainer: The Trainer.
        module: What it trains.
        loaders: For training and for validation.
        resume: Path of the checkpoint to go on from.
    """
    with quiet():
        trainer.fit(module, *loaders, ckpt_path=resume)

"""Lightning's Trainer, set up to be quiet, deterministic and resumable."""

from __future__ import annotations

import logging
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy, ModelParallelStrategy, Strategy

from tasks.errors import TrainingError
from tasks.training.machine import MachineConfig
from tasks.training.optimization import OptimizerConfig
from tasks.training.recovery import AtomicCheckpointIO

_LOUD = ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric")


def build_trainer(
    machine: MachineConfig, optimizer: OptimizerConfig, *, rounds: int, callbacks: list[pl.Callback]
) -> pl.Trainer:
    """Build a Trainer without loggers, bars, summaries or folders of its own.

    Args:
        machine: Where it runs. Of several processes, this one has been told by its environment which it is.
        optimizer: For the length at which gradients are cut, and how many batches make a step.
        rounds: Lightning's epochs.
        callbacks: One of them must be a `Checkpoint`, or Lightning adds its own.
    """
    together: dict[str, Any] = {"devices": 1, "plugins": [AtomicCheckpointIO()]}
    if machine.processes > 1:
        # What normalisations keep of their inputs is brought together by `tasks.training.together`.
        together = {
            "devices": machine.devices,
            "num_nodes": machine.num_nodes,
            "strategy": _sharing(machine) if machine.strategy == "fsdp" else DDPStrategy(broadcast_buffers=False),
            "plugins": [AtomicCheckpointIO(), LightningEnvironment()],
        }
    with quiet():
        return pl.Trainer(
            **together,
            accelerator=machine.accelerator,
            precision=machine.precision,
            max_epochs=rounds,
            callbacks=callbacks,
            gradient_clip_val=optimizer.gradient_norm or None,
            accumulate_grad_batches=optimizer.accumulate,
            deterministic=True,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            logger=False,
        )


def _sharing(machine: MachineConfig) -> Strategy:
    return ModelParallelStrategy(
        data_parallel_size=machine.processes, tensor_parallel_size=1, save_distributed_checkpoint=False
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Lightning's banners, tips and advice, which address who wrote the loop, not who uses it."""
    loggers = [logging.getLogger(name) for name in _LOUD]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for module in (r"pytorch_lightning.*", r"lightning_fabric.*"):
            warnings.filterwarnings("ignore", module=module)
        # Gradients of convolutions lie channels last, and DDP's buffers do not; it copies.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
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

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; Lightning would exit with 1, and be deaf to it from then on.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        with quiet():
            trainer.fit(module, *loaders, ckpt_path=resume)
    except SystemExit as end:
        if not isinstance(end.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt from end


@contextmanager
def naming_full_device(batch_size: int, accumulate: int) -> Iterator[None]:
    """Turn a GPU's lack of memory inside the block into an error that says which batch size to try.

    Args:
        batch_size: Rows of a batch.
        accumulate: Batches whose gradients are added up for one step.

    Raises:
        TrainingError: The GPU has too little memory.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        half = max(1, batch_size // 2)
        hint = (
            f"try train.batch_size {half} with train.optimizer.accumulate {accumulate * 2}, which makes the same steps"
            if half < batch_size
            else "choose a smaller network; a batch has one row already"
        )
        raise TrainingError(
            f"training: the GPU has too little memory for batches of {batch_size} rows "
            f"({str(error).splitlines()[0]})\n  do: {hint}"
        ) from error

"""What people see of a training: its progress, and logs in CSV and for TensorBoard. None of it changes a weight."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytorch_lightning as pl
from pydantic import BaseModel, ConfigDict, PositiveInt

from serving.bundle.places import RemotePath
from tasks.errors import ConfigError
from tasks.progress import measured
from tasks.storage import write_atomic
from tasks.training.module import NetworkModule
from tasks.training.selection import Selection

_CSV, _TENSORBOARD = "training.csv", "tensorboard"
# Portions in which steps are counted are at least this long, so that counting them costs nothing.
_PORTION_SECONDS = 0.2


class LogsConfig(BaseModel):
    """`logs: {...}`, written beside the training's own checkpoints.

    Attributes:
        csv: Whether to write `training.csv`.
        tensorboard: Whether to write what `tensorboard --logdir` shows.
        every: Steps between two records of the training loss; each makes an accelerator wait once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    csv: bool = False
    tensorboard: bool = False
    every: PositiveInt = 50


class Log(Protocol):
    """Takes records of numbers."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write what was measured after so many steps."""

    def flush(self) -> None:
        """Bring it to the disk."""


class CsvLog:
    """One line for each number: `step,name,value`.

    A run that goes on forgets what was written after the step that it goes on from.
    """

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        lines = path.read_text().splitlines()[1:] if path.exists() else []
        self._lines = ["step,name,value", *(line for line in lines if int(line.partition(",")[0]) <= step)]

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """See `Log.write`."""
        self._lines += [f"{step},{name},{value!r}" for name, value in values.items()]

    def flush(self) -> None:
        """See `Log.flush`."""
        write_atomic(self._path, "".join(f"{line}\n" for line in self._lines).encode())


class TensorBoardLog:
    """TensorBoard's event files; they too forget what was written after the step that a run goes on from."""

    def __init__(self, folder: Path, step: int) -> None:
        # TensorBoard is heavy, and few ask for it.
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

        self._writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """See `Log.write`."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def flush(self) -> None:
        """See `Log.flush`."""
        self._writer.flush()


def open_logs(config: LogsConfig, folder: Path, step: int) -> list[Log]:
    """Open what the config asks for.

    Args:
        config: The section `logs`.
        folder: Where they go.
        step: Steps already made; records of later ones are dropped.

    Raises:
        ConfigError: TensorBoard's files shall go to an object store.
    """
    logs: list[Log] = []
    if config.csv:
        logs.append(CsvLog(folder / _CSV, step))
    if config.tensorboard:
        if isinstance(folder, RemotePath):
            raise ConfigError(
                f"train.logs.tensorboard: event files are written to a disk only, and {folder} is in an object store\n"
                "  do: use `csv: true`, or a HEADRACE_HOME on a disk"
            )
        logs.append(TensorBoardLog(folder / _TENSORBOARD, step))
    return logs


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

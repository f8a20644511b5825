"""Training checkpoints that survive a kill: written whole, read without unpickling, two kept."""

from __future__ import annotations

import io
import logging
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins import CheckpointIO

from tasks.errors import IntegrityError
from tasks.storage import place, write_atomic
from tasks.training.config import CheckpointSteps
from tasks.training.module import NetworkModule
from tasks.training.processes import is_first, said_by_first, several

_KEPT = 2
_PATTERN = "round-*.ckpt"
_IDENTITY, _BATCHES = "headrace_run", "headrace_batches"

# A checkpoint by the clock: at least so many seconds after the last, and so many times as long as that took to write.
_LEAST_SECONDS, _LEAST_TIMES = 10.0, 60.0
# Several processes save together, so they have to agree on the time; asking at each step would slow all of them.
_ASK_STEPS = 50

_logger = logging.getLogger(__name__)


class AtomicCheckpointIO(CheckpointIO):
    """Lightning's files, written beside and renamed after reaching the disk.

    Lightning's own writer renames as well, but from the system's temporary folder (another file system, perhaps: a
    copy then) and without asking the disk to finish first.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:  # noqa: ARG002
        """Write a checkpoint."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_atomic(place(path), content.getvalue())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:  # noqa: ARG002, FBT001
        """Read a checkpoint onto the CPU; tensors and plain values only, whatever `weights_only` says.

        Raises:
            OSError: The file cannot be read.
            zipfile.BadZipFile: It is torn or altered; torch itself would not look at the checksums.
            UnpicklingError: It holds more than tensors and plain values.
        """
        content = io.BytesIO(place(path).read_bytes())
        with zipfile.ZipFile(content) as archive:
            altered = archive.testzip()
        if altered is not None:
            raise zipfile.BadZipFile(f"the checksum of {altered} does not match")
        content.seek(0)
        checkpoint: dict[str, Any] = torch.load(content, map_location="cpu", weights_only=True)
        return checkpoint

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a checkpoint."""
        place(path).unlink(missing_ok=True)


class Pace:
    """Says when, within a round, it is time for a checkpoint.

    Writing changes nothing of what is trained, so `auto` may go by the clock: a checkpoint follows the last one no
    sooner than 60 times what writing that took, which costs less than 2 % of the time.
    """

    def __init__(self, steps: CheckpointSteps) -> None:
        self._steps = steps
        self._cost = 0.0
        self._written = time.monotonic()

    def due(self, step: int) -> bool:
        """Say whether to write after so many steps of the whole run; all processes of a training say the same."""
        if self._steps != "auto":
            return step % self._steps == 0
        if several() and step % _ASK_STEPS:
            return False
        late = time.monotonic() - self._written > max(_LEAST_SECONDS, _LEAST_TIMES * self._cost)
        return said_by_first([late]) == [1.0] if several() else late

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Note how long writing takes."""
        began = time.monotonic()
        yield
        self._written = time.monotonic()
        self._cost = self._written - began


class RoundCheckpoint(pl.callbacks.Checkpoint):
    """Saves a checkpoint after every round, and now and then within a long one, and keeps the last two.

    Lightning calls callbacks of this class last, so the file holds what the others concluded from the round. Of
    several processes all take part, and the first one writes.
    """

    def __init__(self, folder: Path, run: str, steps: CheckpointSteps = "auto") -> None:
        """Begin.

        Args:
            folder: Where the files go.
            run: Whose they are; see `latest_checkpoint`.
            steps: Steps between two checkpoints within a round; `auto` goes by the clock.
        """
        self._folder = folder
        self._run = run
        self._pace = Pace(steps)
        self._batches = 0

    def on_save_checkpoint(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        pl_module: pl.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],
    ) -> None:
        """Note whose checkpoint it is, and how many batches of an unfinished round it has seen."""
        checkpoint[_IDENTITY] = self._run
        checkpoint[_BATCHES] = self._batches

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,  # noqa: ARG002
        batch: object,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Save within the round, between two steps: gradients that are still being added up are nowhere kept."""
        assert isinstance(pl_module, NetworkModule)
        batches = batch_idx + 1
        if batches == len(pl_module.losses) or batches % pl_module.config.accumulate:
            return
        if self._pace.due(trainer.global_step):
            pl_module.require_finite()
            self._save(trainer, f"round-{trainer.current_epoch:06d}.step-{trainer.global_step:09d}.ckpt", batches)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Save the round."""
        self._save(trainer, f"round-{trainer.current_epoch + 1:06d}.ckpt", 0)

    def _save(self, trainer: pl.Trainer, name: str, batches: int) -> None:
        self._batches = batches
        with self._pace.writing():
            trainer.save_checkpoint(self._folder / name)
        if not is_first():
            return
        for path in sorted(self._folder.glob(_PATTERN))[:-_KEPT]:
            path.unlink()


def batches_seen(checkpoint: dict[str, Any]) -> int:
    """Return how many batches of an unfinished round a checkpoint has seen."""
    return int(checkpoint[_BATCHES])


def latest_checkpoint(folder: Path, run: str) -> tuple[Path, dict[str, Any]] | None:
    """Find where a killed run can go on.

    A file that cannot be read is passed over for the one before it: training from there gives the same weights.

    Args:
        folder: Where `RoundCheckpoint` writes.
        run: The run's identity, as given to `RoundCheckpoint`.

    Returns:
        The newest whole checkpoint and its content, or None in a folder without any.

    Raises:
        IntegrityError: There are checkpoints but none can be read, or one belongs to another run.
    """
    torn: list[str] = []
    for path in sorted(folder.glob(_PATTERN), reverse=True):
        try:
            checkpoint = AtomicCheckpointIO().load_checkpoint(path)
        except (OSError, RuntimeError, zipfile.BadZipFile, UnpicklingError) as error:
            torn.append(f"{path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
            continue
        if not isinstance(checkpoint, dict) or checkpoint.get(_IDENTITY) != run:
            raise IntegrityError(
                f"{path}: expected a checkpoint of training run {run}, got one of another program or run\n"
                f"  do: move the file away, or remove {folder} to train from the beginning"
            )
        for line in torn:
            _logger.warning("a torn checkpoint was passed over for %s: %s", path.name, line)
        return path, checkpoint
    if torn:
        raise IntegrityError(
            f"{folder}: no training checkpoint can be read\n    " + "\n    ".join(torn[:5]) + "\n"
            f"  do: remove {folder} to train from the beginning"
        )
    return None

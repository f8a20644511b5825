"""Training checkpoints that survive a kill: written whole, read without unpickling, two kept."""

from __future__ import annotations

import io
import logging
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins import CheckpointIO

from tasks.errors import IntegrityError
from tasks.storage import place, write_atomic

_KEPT = 2
_PATTERN = "round-*.ckpt"
_IDENTITY = "headrace_run"

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


class RoundCheckpoint(pl.callbacks.Checkpoint):
    """Saves a checkpoint after every round and keeps the last two.

    Lightning calls callbacks of this class last, so the file holds what the others concluded from the round.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder
        self._run = run

    def on_save_checkpoint(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        pl_module: pl.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],
    ) -> None:
        """Note whose checkpoint it is."""
        checkpoint[_IDENTITY] = self._run

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Save the round."""
        trainer.save_checkpoint(self._folder / f"round-{trainer.current_epoch + 1:06d}.ckpt")
        for path in sorted(self._folder.glob(_PATTERN))[:-_KEPT]:
            path.unlink()


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

"""Files in which a training can be watched: CSV, and TensorBoard's event files. None of it changes a weight."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, PositiveInt

from serving.bundle.places import RemotePath
from tasks.errors import ConfigError
from tasks.storage import write_atomic

_CSV, _TENSORBOARD = "training.csv", "tensorboard"


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

"""What a pipeline's drift watch remembers from check to check."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.errors import IntegrityError
from tasks.storage import write_atomic

# Times of samples are whole microseconds: the first row that a check may count stands behind the last one of an alarm.
_NEXT = timedelta(microseconds=1)


class Memory(BaseModel):
    """What was said before.

    Attributes:
        version: The version of the model that the last alarm was about.
        alarmed_until: The time of the last row that the alarm counted.
        retraining_at: When drift last asked for a run of the pipeline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str | None = None
    alarmed_until: datetime | None = None
    retraining_at: datetime | None = None

    def begin(self, version: str, earliest: datetime) -> datetime:
        """Return from when on rows of a version count: no row counts for two alarms.

        Args:
            version: Of the model.
            earliest: The begin of the window that the config asks for.
        """
        if version != self.version or self.alarmed_until is None:
            return earliest
        return max(earliest, self.alarmed_until + _NEXT)


def read_memory(path: Path) -> Memory:
    """Read what is remembered; a first check remembers nothing.

    Raises:
        IntegrityError: The file is torn or somebody else's.
    """
    try:
        return Memory.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Memory()
    except ValidationError as error:
        raise IntegrityError(f"{path}: not what the drift watch writes\n  do: remove the file") from error


def write_memory(path: Path, memory: Memory) -> None:
    """Remember, atomically."""
    write_atomic(path, memory.model_dump_json(indent=2).encode() + b"\n")

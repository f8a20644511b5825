"""How a run ended, kept in its folder at every end that its process lives to see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.failures import meaning_of
from serving.bundle.errors import RemoteError
from tasks.errors import DiskFullError
from tasks.storage import write_json

OUTCOME = "outcome.json"

PROMOTED, REFUSED = "promoted", "refused"
CONTRACT_BROKEN, LEAK = "contract broken", "leak"
FAILED, STOPPED, UNFINISHED = "failed", "stopped", "unfinished"

_VERDICTS = {"GateRefusedError": REFUSED, "ContractBrokenError": CONTRACT_BROKEN, "LeakageError": LEAK}


@contextmanager
def keeping_outcome(folder: Path, partition: str | None) -> Iterator[None]:
    """Write `outcome.json` when the block ends: the verdict, the wall time in seconds, and the error if there was one.

    A process that is killed writes nothing, and its run stays unfinished.

    Args:
        folder: The run's.
        partition: The part of the data that it ran on.
    """
    began = time.monotonic()

    def keep(verdict: str, error: BaseException | None = None) -> None:
        said = {
            "verdict": verdict,
            "seconds": round(time.monotonic() - began, 1),
            "partition": partition,
            "error": None if error is None else type(error).__name__,
            "message": None if error is None else str(error),
        }
        # The run's own error must not be hidden by a disk that is full, or a store that is away, for this as well.
        with suppress(DiskFullError, OSError, RemoteError):
            write_json(folder / OUTCOME, said)

    try:
        yield
    except Exception as error:
        keep(_verdict(error), error)
        raise
    except BaseException:
        keep(STOPPED)
        raise
    keep(PROMOTED)


def _verdict(error: Exception) -> str:
    return meaning_of(error, _VERDICTS) or FAILED

"""What a backfill has done: one small file for each partition, so that nothing is done twice."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipelines.scheduling.source_data import SourceData
from tasks.storage import is_remote, write_json

# Beside the runs, not among them: garbage collection knows no such folder and leaves it.
BACKFILLS = "backfills"

Outcome = Literal["promoted", "refused", "contract broken", "leak found", "failed"]


class Entry(BaseModel):
    """How the run of one partition ended.

    Attributes:
        key: A digest of what it depended on besides the data: config, contract and code.
        data: The source's files just before it; None where there were none.
        exit_code: As `headrace run` would have had it.
        digest: The bundle's; None where the run made none.
        version: The model's version, if one was promoted.
        message: Why it was not promoted; empty where it was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    outcome: Outcome
    exit_code: int
    digest: str | None = None
    version: str | None = None
    message: str = ""
    data: SourceData | None = None

    @property
    def settled(self) -> bool:
        """Whether the same config and code would end the same way; a run that failed may have lacked its data."""
        return self.outcome != "failed"


def read_entry(home: Path, pipeline: str, partition: str) -> Entry | None:
    """Return what is known of a partition; None where nothing is, or nothing that can be read."""
    try:
        return Entry.model_validate(json.loads(_path(home, pipeline, partition).read_bytes()))
    except (FileNotFoundError, ValueError):
        return None


def write_entry(home: Path, pipeline: str, partition: str, entry: Entry) -> None:
    """Keep what became of a partition; whoever reads it sees the old entry or the new."""
    write_json(_path(home, pipeline, partition), entry.model_dump(mode="json"))


@contextmanager
def only_one(home: Path, pipeline: str, partition: str) -> Iterator[None]:
    """Let no other backfill of this home begin the partition for the time of the block; wait for one that has begun it.

    An object store has no locks: there two backfills at once do the same work, and end with the same bundles.
    """
    if is_remote(home):
        yield
        return
    path = _path(home, pipeline, partition).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _path(home: Path, pipeline: str, partition: str) -> Path:
    return home / BACKFILLS / pipeline / f"{partition}.json"

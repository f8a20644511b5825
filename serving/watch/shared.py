"""The numbers of several workers, shared through files in a folder that only they have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from serving.watch.families import Numbers, as_document, lasting, of_document


class Snapshot(NamedTuple):
    """One worker's numbers at one moment, and its last minute as `recent.stats` reads it."""

    numbers: Numbers
    minute: dict[str, Any]


class SharedFolder:
    """A worker's place among the others.

    Args:
        folder: Of the workers; None for a single process, which shares nothing.
        index: This worker's. It takes the place of an earlier worker of the same index and goes on from its numbers,
            so that no sum falls.
    """

    def __init__(self, folder: Path | None, index: int) -> None:
        self._folder = folder
        self._path = None if folder is None else folder / f"watch-{index}.json"
        self.before: Numbers = {}
        if self._path is not None and self._path.exists():
            self.before = lasting(_read(self._path).numbers)

    def write(self, snapshot: Snapshot) -> None:
        """Let the other workers see these numbers. Blocks for a moment.

        Raises:
            OSError: The file cannot be written.
        """
        if self._path is None:
            return
        document = {"numbers": as_document(snapshot.numbers), "minute": snapshot.minute}
        # A flush to disk is not needed: the folder is gone with the processes.
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(orjson.dumps(document))
        temporary.replace(self._path)

    def others(self) -> Iterator[Snapshot]:
        """Yield the latest numbers of each other worker. Blocks for a moment."""
        if self._folder is None:
            return
        for path in sorted(self._folder.glob("watch-*.json")):
            if path == self._path:
                continue
            try:
                snapshot = _read(path)
            except FileNotFoundError:
                # The endpoint is stopping, and its folder goes.
                continue
            yield snapshot


def _read(path: Path) -> Snapshot:
    document = orjson.loads(path.read_bytes())
    return Snapshot(of_document(document["numbers"]), document["minute"])

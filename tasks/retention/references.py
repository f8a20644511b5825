"""What refers to what: digests and versions named in JSON documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.retention.items import DRIFT, RESULTS, RUNS, Contents, Item

SUMMARY = "summary.json"
CONFIG = "config.json"

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
# As `train.start_from.bundle` has it.
_VERSION = re.compile(rb'"([A-Za-z0-9_][A-Za-z0-9._-]{0,99})@([A-Za-z0-9_][A-Za-z0-9._-]{0,99})"')


@dataclass(frozen=True)
class Finished:
    """What a run that came to its end says of itself.

    Attributes:
        version: `<model>/<version>`, that it registered.
        digest: That version's bundle.
    """

    version: str
    digest: str


class References:
    """What each item of a home refers to; its documents are read once.

    Folders are named by digests, so whatever holds the name of one refers to it, in whichever words.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._read: dict[str, tuple[Item, ...]] = {}

    def of(self, item: Item) -> tuple[Item, ...]:
        """Return the items that one names in its JSON documents, itself left out."""
        if item.path not in self._read:
            found = {each.path: each for each in self._named(item) if each.path != item.path}
            self._read[item.path] = tuple(found.values())
        return self._read[item.path]

    def _named(self, item: Item) -> Iterator[Item]:
        contents = self._contents
        if item.kind == DRIFT:
            return  # it tells of a version, and needs nothing of it
        for document in _documents(contents.home, item):
            yield from contents.named({match.decode() for match in _DIGEST.findall(document)})
            for model, version in _VERSION.findall(document) if item.kind == RUNS else ():
                yield from contents.version(f"{model.decode()}/{version.decode()}")
        finished = read_finished(contents.home, item) if item.kind == RUNS else None
        if finished is not None:
            yield from contents.version(finished.version)


def read_finished(home: Path, run: Item) -> Finished | None:
    """Return what a run said at its end; None where it was killed, failed, or is at work."""
    try:
        content = (home / run.path / SUMMARY).read_bytes()
    except FileNotFoundError:
        return None
    try:
        said: Any = json.loads(content)
        return Finished(f"{said['model']}/{said['version']}", str(said["digest"]))
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return None


def read_settings(home: Path, run: Item) -> bytes | None:
    """Return a run's resolved config, or None where it was killed before it wrote one."""
    try:
        return (home / run.path / CONFIG).read_bytes()
    except FileNotFoundError:
        return None


def _documents(home: Path, item: Item) -> Iterator[bytes]:
    for entry in item.entries:
        # Prefect's records are JSON without a suffix.
        if not entry.folder and (entry.path.endswith(".json") or item.kind == RESULTS):
            try:
                yield (home / entry.path).read_bytes()
            except FileNotFoundError:
                continue

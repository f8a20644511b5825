"""What a home holds, as the things that are kept or removed as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.bundle.manifest import MANIFEST
from serving.bundle.places import is_remote
from tasks.retention.listing import Entry, entries
from tasks.storage_remote import WHOLE

RUNS, RESULTS, MODELS, TRAINING, LEFTOVERS = "runs", "results", "models", "training", "leftovers"
# Reports of the drift watch, `drift/<pipeline>/<id>`.
DRIFT = "drift"
SEARCHES = "searches"
# Folders named by the digest of their content: those that refer before those that they refer to.
CONTENT = (
    "certificates",
    "explanations",
    "slices",
    "evaluations",
    "calibrations",
    "cross_validations",
    "bundles",
    "checkpoints",
    "label_noise",
    "leakage",
    "documents",
    "preprocessing",
    "splits",
    "validations",
    "datasets",
)
# Removed in this order: whoever is killed between two of them leaves nothing that refers to what is gone.
KINDS = (RUNS, DRIFT, RESULTS, MODELS, TRAINING, *CONTENT, LEFTOVERS)
# What `sweep` calls a folder before it removes it: nobody uses it, however young it is.
GONE = ".tmp-gone-"

# How many parts the path of an item of a kind has.
_DEPTHS = {RUNS: 3, DRIFT: 3, MODELS: 3, RESULTS: 2, TRAINING: 2} | dict.fromkeys(CONTENT, 2)
_DIGEST = re.compile(r"[0-9a-f]{64}")
# A half-built folder or file: `tasks.storage.new_folder`, `serving.bundle.writing.building` and `replace_file`.
_LEFTOVER = re.compile(r"\.tmp-.+|\.new-[0-9a-f]{32}|\..+\.[0-9a-f]{32}")


@dataclass(frozen=True)
class Item:
    """One of the things.

    Attributes:
        kind: One of `KINDS`.
        path: Relative to the home, with forward slashes.
        entries: The files in it.
    """

    kind: str
    path: str
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The last part of its path: a digest, a run's id or a version."""
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> str:
        """The name of the folder it is in: of a run its pipeline, of a version its model."""
        return self.path.split("/")[-2]

    @property
    def modified(self) -> float:
        """When something in it was last written, in seconds since 1970."""
        return max(entry.modified for entry in self.entries)

    def holds(self, name: str) -> bool:
        """Say whether a file of that name stands directly in it."""
        return any(entry.path == f"{self.path}/{name}" for entry in self.entries)


@dataclass(frozen=True)
class Contents:
    """A home's items, by their paths.

    Attributes:
        searched: When something of a search was last written, in seconds since 1970; minus infinity without one.
    """

    home: Path
    items: Mapping[str, Item]
    searched: float

    def of_kind(self, *kinds: str) -> list[Item]:
        """Return the items of some kinds, in the order of their paths."""
        return [item for _, item in sorted(self.items.items()) if item.kind in kinds]

    def named(self, names: Iterable[str]) -> list[Item]:
        """Return the content and the training work that go by these digests."""
        paths = [f"{kind}/{name}" for name in sorted(set(names)) for kind in (*CONTENT, TRAINING)]
        return [self.items[path] for path in paths if path in self.items]

    def version(self, name: str) -> list[Item]:
        """Return the version `<model>/<version>`, if it is there."""
        path = f"{MODELS}/{name}"
        return [self.items[path]] if path in self.items else []


def read_contents(home: Path) -> Contents:
    """List a home; what Headrace did not put there under a name of its own is no item."""
    gathered: dict[tuple[str, str], list[Entry]] = {}
    searched = float("-inf")
    for entry in entries(home):
        key = _place(entry)
        if key is not None:
            gathered.setdefault(key, []).append(entry)
        elif entry.path.startswith(f"{SEARCHES}/"):
            searched = max(searched, entry.modified)
    items = [Item(kind, path, tuple(found)) for (kind, path), found in gathered.items()]
    if is_remote(home):
        items = [_whole_or_leftover(item) for item in items]
    return Contents(home, {item.path: item for item in items}, searched)


def is_gone(item: Item) -> bool:
    """Say whether an earlier `sweep` was killed while it removed this."""
    return item.kind == LEFTOVERS and item.name.startswith(GONE)


def _place(entry: Entry) -> tuple[str, str] | None:
    """Return the kind and the path of the item that an entry belongs to, or None."""
    parts = entry.path.split("/")
    depth = _DEPTHS.get(parts[0])
    for index in range(min(len(parts), depth or 1)):
        if _LEFTOVER.fullmatch(parts[index]):
            return LEFTOVERS, "/".join(parts[: index + 1])
    if depth is None or len(parts) < depth:
        return None
    if parts[0] == RESULTS:
        return None if len(parts) > depth or entry.folder else (RESULTS, entry.path)
    # A file where folders stand, such as a model's pointer, is somebody else's.
    if len(parts) == depth and not entry.folder:
        return None
    named = parts[0] in {RUNS, DRIFT, MODELS} or _DIGEST.fullmatch(parts[1])
    return (parts[0], "/".join(parts[:depth])) if named else None


def _whole_or_leftover(item: Item) -> Item:
    """Tell what a kill left in an object store, where a folder without its last object is none."""
    mark = WHOLE if item.kind in CONTENT else MANIFEST if item.kind == MODELS else None
    return item if mark is None or item.holds(mark) else Item(LEFTOVERS, item.path, item.entries)

"""Every file below a home, with its size and its age: one walk over a disk, one listing of an object store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from serving.bundle.errors import naming_refusal
from serving.bundle.places import RemotePath

# A kind's folder, or one of a model or a pipeline, may be a link to a larger disk; deeper links are not followed.
_LINKS_FOLLOWED = 2


@dataclass(frozen=True)
class Entry:
    """A file, or a folder of a disk.

    Attributes:
        path: Relative to the home, with forward slashes.
        size: Bytes; 0 for a folder.
        modified: Seconds since 1970; infinity where the object store does not say.
        folder: Whether it is a folder; an object store has none.
        inode: Which file it is, and how many names that has; None for what has one name only.
    """

    path: str
    size: int
    modified: float
    folder: bool = False
    inode: tuple[int, int, int] | None = None


def entries(home: Path, below: str = "") -> list[Entry]:
    """Return everything below a folder of a home, or that one file; nothing where there is nothing.

    What disappears meanwhile is left out.

    Args:
        home: The home.
        below: Relative to the home; the whole home by default.
    """
    if isinstance(home, RemotePath):
        return _remote(home, below)
    return list(_local(home / below, below, 0 if not below else below.count("/") + 1))


def _local(path: Path, name: str, depth: int) -> Iterator[Entry]:
    try:
        status = path.lstat()
        folder = path.is_dir() and (depth <= _LINKS_FOLLOWED or not path.is_symlink())
        inside = sorted(each.name for each in path.iterdir()) if folder else []
    except (FileNotFoundError, NotADirectoryError):
        return
    shared = (status.st_dev, status.st_ino, status.st_nlink) if status.st_nlink > 1 and not folder else None
    if name:
        yield Entry(name, 0 if folder else status.st_size, status.st_mtime, folder, shared)
    for each in inside:
        yield from _local(path / each, f"{name}/{each}" if name else each, depth + 1)


def _remote(home: RemotePath, below: str) -> list[Entry]:
    where = home / below
    try:
        with naming_refusal(where):
            found = where.store.find(str(where), detail=True)
    except FileNotFoundError:
        return []
    return [
        Entry(
            RemotePath(where.store.unstrip_protocol(name)).relative_to(home).as_posix(),
            int(said.get("size") or 0),
            _modified(said),
        )
        for name, said in sorted(found.items())
    ]


def _modified(said: dict[str, object]) -> float:
    """Return when an object was written, by the word that its filesystem has for it."""
    for word in ("LastModified", "mtime", "updated", "last_modified", "created"):
        value = said.get(word)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return float("inf")

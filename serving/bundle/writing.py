"""How a bundle comes into the store and how the champion pointer moves: on a disk, and in an object store.

On a disk a folder is renamed into place under a lock. An object store has neither: there a version's number is claimed
by the one object that only the first writer can create, and the manifest, without which no version counts, goes last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from serving.bundle.manifest import MANIFEST
from serving.bundle.places import RemotePath

_CLAIM = ".claim"


def version_names(folder: Path) -> list[str]:
    """Return the names of the whole versions in a model's folder, in no order; none where there is no folder."""
    if isinstance(folder, RemotePath):
        return [path.parent.name for path in folder.glob(f"*/{MANIFEST}")]
    return folder_names(folder)


def folder_names(folder: Path) -> list[str]:
    """Return the names of the folders directly in a folder, in no order; none where there is no folder."""
    if isinstance(folder, RemotePath):
        return folder.folders()
    return [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Yield an empty folder of this machine to build a bundle in; it is gone after the block.

    Args:
        folder: The model's folder; on a disk it is made, and the new one stands in it, to be renamed.
    """
    if isinstance(folder, RemotePath):
        with TemporaryDirectory(prefix="headrace-bundle-") as scratch:
            yield Path(scratch)
        return
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".new-{uuid.uuid4().hex}"
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def settle(built: Path, folder: Path, digest: str, number: int) -> str:
    """Give a built bundle the next number in its model's folder, whole or not at all.

    Args:
        built: The folder that `building` gave.
        folder: The model's folder, locked.
        digest: The bundle's digest. A writer that was killed finds its own claim again by it.
        number: The number after the last version's; another writer may have claimed it.

    Returns:
        The version's name.
    """
    if not isinstance(folder, RemotePath):
        _sync_tree(built)
        built.rename(folder / str(number))
        sync(folder)
        return str(number)
    while (folder / str(number) / _CLAIM).claim(digest.encode()) != digest.encode():
        number += 1
    names = sorted(path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file())
    for name in sorted(names, key=lambda name: name == MANIFEST):
        (folder / str(number) / name).write_bytes((built / name).read_bytes())
    return str(number)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one step; a reader sees the old content or the new."""
    if isinstance(path, RemotePath):
        path.write_bytes(content)
        return
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    sync(path.parent)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other writers of a model out, on every machine that shares the disk; an object store has no locks."""
    if isinstance(folder, RemotePath):
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """Have a file's content, or a folder's entries, on the disk before anything else happens."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

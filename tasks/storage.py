"""Atomic, content-addressed storage, on this machine's disk or in an object store.

On a disk, every file is written beside its target, flushed and renamed; every folder is built under a temporary name
and renamed as a whole. In an object store, a file appears in one step, and a folder as `tasks.storage_remote` says.
A reader sees all or nothing, and a process killed at any moment leaves the last good state.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving.bundle.places import RemotePath, is_remote, place
from serving.bundle.writing import replace_file, sync
from tasks.errors import DISK_FULL, DiskFullError, IntegrityError
from tasks.storage_remote import WHOLE, is_whole, new_remote_folder

__all__ = ["is_remote", "is_whole", "place"]


def headrace_home() -> Path:
    """Return the place that holds runs, datasets and models: `HEADRACE_HOME` (a folder or a URI), or `.headrace`."""
    return place(os.environ.get("HEADRACE_HOME", ".headrace")).absolute()


def nearest_existing(path: Path) -> Path:
    """Return a path if something is there, else the nearest of the folders above it that exists."""
    return next((each for each in (path, *path.parents) if each.exists()), path)


def canonical_json(value: Any) -> bytes:
    """Encode a JSON value so that equal values give equal bytes (sorted keys, no spaces, no NaN)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def digest_of(value: Any) -> str:
    """Return the SHA-256, in hex, of a JSON value's canonical form."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_file(path: Path) -> str:
    """Return the SHA-256, in hex, of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, hashlib.sha256).hexdigest()


class DigestName:
    """Names a new folder by the digest of its content, and keeps the digest, so that nothing is read twice for it.

    Attributes:
        digest: Known once `new_folder` has ended.
    """

    def __init__(self, leave_out: Callable[[Path], frozenset[str]] | None = None) -> None:
        """Take what tells which files of the folder do not count; by default all do."""
        self.digest = ""
        self._leave_out = leave_out

    def __call__(self, folder: Path) -> str:
        """Return the digest of a finished folder."""
        leave_out = frozenset[str]() if self._leave_out is None else self._leave_out(folder)
        self.digest = digest_folder(folder, leave_out=leave_out)
        return self.digest


def digest_folder(folder: Path, *, leave_out: frozenset[str] = frozenset()) -> str:
    """Return a digest of every file below a folder: names and content, not times.

    Args:
        folder: The folder.
        leave_out: Names, relative to the folder with forward slashes, that do not count.
    """
    named = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    return digest_of({name: digest_file(path) for name, path in named.items() if name not in leave_out})


def files_below(folder: Path) -> list[Path]:
    """Return every file below a folder, in the order of names; the mark of a whole remote folder is none of them."""
    if is_remote(folder):
        return [path for path in folder.rglob("*") if path.name != WHOLE]
    return sorted(path for path in folder.rglob("*") if path.is_file())


def beside(folder: Path, path: str) -> Path:
    """Return the place of a file of a dataset, named relative to the dataset's folder, or absolutely, or by a URI."""
    return place(path) if "://" in path or path.startswith("/") else folder / path


def copy_file(source: Path, target: Path) -> None:
    """Copy a file that memory can hold, to a folder that is being built."""
    if isinstance(source, RemotePath) and isinstance(target, RemotePath):
        source.copy_to(target)
    elif is_remote(source) or is_remote(target):
        target.write_bytes(source.read_bytes())
    else:
        shutil.copyfile(source, target)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if isinstance(folder, RemotePath):
        folder.remove()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Raises:
        DiskFullError: There is no space left.
    """
    with naming_full_disk(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically, indented for people."""
    write_atomic(
        path, (json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n").encode()
    )


@contextmanager
def new_folder(parent: Path, name: Callable[[Path], str]) -> Iterator[Path]:
    """Build a folder under a temporary name and rename it when the block ends well.

    Args:
        parent: Where the finished folder stands.
        name: Called with the finished temporary folder; returns the final name (its digest, for one).

    Yields:
        The temporary folder to fill. If the block raises, it is removed and nothing appears under `parent`.

    Raises:
        DiskFullError: There is no space left, also where the block was the one to find out.
    """
    if isinstance(parent, RemotePath):
        with new_remote_folder(parent, name) as folder:
            yield folder
        return
    temporary = parent / f".tmp-{uuid.uuid4().hex}"
    try:
        with naming_full_disk(parent, temporary):
            temporary.mkdir(parents=True)
            yield temporary
            for path in temporary.rglob("*"):
                if path.is_file():
                    sync(path)
            target = parent / name(temporary)
            if target.exists():
                return
            try:
                temporary.rename(target)
            except OSError:
                # Another process that does the same work may have been faster; what it made is the same.
                if not target.exists():
                    raise
            sync(parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def naming_lost(place: Path, subject: str) -> Iterator[None]:
    """Say what is lost where reading what an earlier piece made finds no file.

    Args:
        place: The file or folder.
        subject: What is gone, with its verb, such as `the evaluation is`.

    Raises:
        IntegrityError: The block found no file.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise IntegrityError(
            f"{place}: {subject} gone\n  do: run the pipeline again; it rebuilds what is missing"
        ) from error


@contextmanager
def naming_full_disk(folder: Path, begun: Path | None = None) -> Iterator[None]:
    """Turn the system's error of a full disk inside the block into one that says what to do.

    Args:
        folder: What is written below.
        begun: A folder of which the error can say how large it has become.

    Raises:
        DiskFullError: There was no space left below `folder`, or this user or process may not take more of it.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise DiskFullError(
            f"{folder}: {DISK_FULL[error.errno]} ({error}{_sizes(folder, begun)}); nothing half-written stays, "
            "what stood there still does\n"
            "  do: free some space, or set HEADRACE_HOME to a folder on a larger disk, and run again: it goes on from "
            "the last finished piece"
        ) from error


def _sizes(folder: Path, begun: Path | None) -> str:
    """Say what is free, and how much had been written; nothing where that cannot be known."""
    said = ""
    if is_remote(folder):
        return said
    try:
        if begun is not None:
            said += f"; {sum(path.stat().st_size for path in files_below(begun)) / 1e6:,.1f} MB of it were written"
        return f"{said}, {shutil.disk_usage(nearest_existing(folder)).free / 1e6:,.1f} MB are free"
    except OSError:
        return said

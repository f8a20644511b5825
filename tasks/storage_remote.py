"""Folders in an object store, where nothing can be renamed (ADR 6).

A folder is filled under a temporary name, by whichever workers take part. Then the store itself copies its objects to
the final name, and a mark is written last: only a folder with its mark is whole. The names are digests of the content,
so that copying again, after a kill or beside another writer, puts the same bytes in the same place.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.bundle.errors import naming_refusal
from serving.bundle.places import RemotePath

WHOLE = ".whole"


def is_whole(folder: Path) -> bool:
    """Say whether a finished folder or file is there; on a disk whatever is there is whole."""
    return folder.exists() if not isinstance(folder, RemotePath) else (folder / WHOLE).exists()


@contextmanager
def new_remote_folder(parent: RemotePath, name: Callable[[Path], str]) -> Iterator[RemotePath]:
    """Build a folder under a temporary name and copy it to its own when the block ends well.

    Args:
        parent: Where the finished folder stands.
        name: Called with the finished temporary folder; returns the final name.

    Yields:
        The temporary folder to fill. If the block raises, it is removed; if the process is killed, it stays, and
        nothing reads it.

    Raises:
        RemoteError: The store refuses or does not answer.
    """
    temporary = parent / f".tmp-{uuid.uuid4().hex}"
    try:
        yield temporary
        target = parent / name(temporary)
        if not is_whole(target):
            _copy(temporary, target)
            (target / WHOLE).write_bytes(b"")
    finally:
        temporary.remove()


def _copy(source: RemotePath, target: RemotePath) -> None:
    paths = list(source.rglob("*"))
    copies = [target / path.relative_to(source) for path in paths]
    with naming_refusal(target):
        source.store.copy([str(path) for path in paths], [str(copy) for copy in copies])

"""The small files that say what is served: read only as what they should be."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from serving.bundle.errors import StoreError
from serving.bundle.places import RemotePath

_MOST_BYTES = 1 << 20


def read_pointer(path: Path) -> bytes | None:
    """Return what a champion pointer or a traffic plan holds, or None where there is none.

    Raises:
        StoreError: It is a folder, a circle of links, or larger than any such file.
        OSError: It cannot be read now; another try may go better.
    """
    try:
        if not isinstance(path, RemotePath):
            status = path.stat()
            if stat.S_ISDIR(status.st_mode) or status.st_size > _MOST_BYTES:
                raise StoreError(f"{path}: expected a file of at most {_MOST_BYTES} bytes\n  do: remove it")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise StoreError(f"{path}: the links lead in a circle\n  do: remove it") from error

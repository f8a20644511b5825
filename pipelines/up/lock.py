"""One group to a home: a lock that the system lets go of when the last process of the group has ended, however it does.

Beside it stands, as long as the group is ready, which Prefect server it has, so that other commands find it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from tasks.errors import ConfigError
from tasks.storage import write_json

FOLDER = "up"
_LOCK = "lock"
_SERVER = "server.json"

_MOMENT_SECONDS, _ENDING_SECONDS = 0.5, 60.0
_POLL_SECONDS = 0.05


@contextmanager
def only_group(folder: Path) -> Iterator[int]:
    """Hold the lock for the time of the block; yield its descriptor, which the group's processes are to inherit.

    Args:
        folder: The folder `up` of a home.

    Raises:
        ConfigError: Another group holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, folder.parent)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        with suppress(FileNotFoundError):
            if _holder(descriptor) == os.getpid():
                (folder / _SERVER).unlink()
        os.close(descriptor)


def publish_server(folder: Path, api: str) -> None:
    """Let other commands know the group's Prefect server, by the URL of its API."""
    write_json(folder / _SERVER, {"api": api, "pid": os.getpid()})


def running_server(folder: Path) -> str | None:
    """Return the URL of the API of the group's Prefect server, or None where no group is up."""
    try:
        said = json.loads((folder / _SERVER).read_bytes())
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return str(said["api"])
    except OSError:
        return None  # Nothing is there; or nothing can be, which whoever writes there will say.
    return None  # A group that was killed has left its file.


def _take(descriptor: int, home: Path) -> None:
    started = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            # Who looks for a group holds the lock for a moment; the programs of one that was killed end soon.
            holder = _holder(descriptor)
            there = holder is not None and psutil.pid_exists(holder)
            if time.monotonic() - started > (_MOMENT_SECONDS if there else _ENDING_SECONDS):
                raise ConfigError(
                    f"{home}: `headrace up` is running there, as process {holder}\n"
                    f"  do: use that one, stop it with `kill {holder}`, or set HEADRACE_HOME to another folder"
                ) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def _holder(descriptor: int) -> int | None:
    said = os.pread(descriptor, 32, 0).decode().strip()
    return int(said) if said else None

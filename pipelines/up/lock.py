"""One group to a home: a lock that the system lets go of when the last process of the group has ended, however it does.

Beside it stands, as long as the group is ready, which Prefect server it has, so that other commands find it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tasks.errors import ConfigError
from tasks.storage import write_json

FOLDER = "up"
_LOCK = "lock"
# Locked by the supervisor alone; no program of the group inherits that.
_SUPERVISOR = "supervisor"
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
    with os.fdopen(os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644), "r+b", 0) as lock:
        _take(lock, folder)
        # That of a group that was killed would be taken for ours until ours is ready, or for ever if it has none.
        (folder / _SERVER).unlink(missing_ok=True)
        with (folder / _SUPERVISOR).open("wb") as own:
            fcntl.flock(own, fcntl.LOCK_EX)
            os.ftruncate(lock.fileno(), 0)
            os.pwrite(lock.fileno(), f"{os.getpid()}\n".encode(), 0)
            try:
                yield lock.fileno()
            finally:
                (folder / _SERVER).unlink(missing_ok=True)


def publish_server(folder: Path, api: str) -> None:
    """Let other commands know the group's Prefect server, by the URL of its API."""
    write_json(folder / _SERVER, {"api": api, "pid": os.getpid()})


def running_server(folder: Path) -> str | None:
    """Return the URL of the API of the group's Prefect server, or None where no group is up."""
    try:
        api = str(json.loads((folder / _SERVER).read_bytes())["api"])
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return api
    except (OSError, ValueError, KeyError, TypeError):
        return None  # Nothing is there that we wrote; or nothing can be, which whoever writes there will say.
    return None  # A group that was killed has left its file.


def _take(lock: IO[bytes], folder: Path) -> None:
    started = time.monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            # Who looks for a group holds the lock for a moment; the programs of one that was killed end soon.
            there = _is_supervised(folder)
            if time.monotonic() - started > (_MOMENT_SECONDS if there else _ENDING_SECONDS):
                raise ConfigError(_taken(folder.parent, _said(lock) if there else None)) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def _is_supervised(folder: Path) -> bool:
    """Say whether the process lives that started the group: its id alone could be another's by now."""
    try:
        with (folder / _SUPERVISOR).open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _said(lock: IO[bytes]) -> str | None:
    """Return the process id that stands in the lock, as far as it has been written."""
    said = os.pread(lock.fileno(), 32, 0).decode(errors="replace").strip()
    return said if said.isdecimal() else None


def _taken(home: Path, holder: str | None) -> str:
    if holder is None:
        return (
            f"{home}: `headrace up` was killed there, and programs of it do not end\n"
            "  do: end them (their logs are in its folder `up`), or set HEADRACE_HOME to another folder"
        )
    return (
        f"{home}: `headrace up` is running there, as process {holder}\n"
        f"  do: use that one, stop it with `kill {holder}`, or set HEADRACE_HOME to another folder"
    )

"""Headrace's home: how much room it has, and whether what a run does there works."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipelines.doctor.finding import Finding, note, problem
from serving.bundle.errors import RemoteError
from tasks.storage import is_remote, nearest_existing

_GB = 10**9
_LEAST_DISK, _LITTLE_DISK = 1 * _GB, 5 * _GB


def home_findings(home: Path) -> Iterator[Finding]:
    """Yield what is to be said of `HEADRACE_HOME`; nothing stays written there."""
    if is_remote(home):
        yield _remote(home)
        return
    there = nearest_existing(home)
    yield _writing(home, there)
    free = shutil.disk_usage(there).free
    said, remedy = f"{free / _GB:.1f} GB free", "remove old runs (`headrace gc`), or set HEADRACE_HOME to a larger disk"
    if free < _LEAST_DISK:
        yield problem("disk", f"{said} at {there}; a run of small data writes some hundred MB", remedy)
    elif free < _LITTLE_DISK:
        yield note("disk", f"{said} at {there}", remedy)
    else:
        yield Finding("disk", said)


def _remote(home: Path) -> Finding:
    try:
        home.exists()
    except RemoteError as error:
        said, _, remedy = str(error).partition("\n  do: ")
        return problem("home", said, remedy or "see that the store answers")
    return note("home", f"{home} answers; whether it may be written to, the first run will say")


def _writing(home: Path, there: Path) -> Finding:
    """Try what atomic writes and locks need, in a folder that is removed again."""
    if not there.is_dir():
        return problem("home", f"{home}: {there} is a file", "set HEADRACE_HOME to a folder")
    trying = "write"
    try:
        with tempfile.TemporaryDirectory(prefix=".headrace-doctor-", dir=there) as folder:
            path = Path(folder) / "a"
            with path.open("wb") as file:
                file.write(b"\n")
                trying = "flush to disk (fsync)"
                os.fsync(file.fileno())
                trying = "lock (flock)"
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            trying = "rename"
            path.rename(Path(folder) / "b")
    except OSError as error:
        return problem(
            "home",
            f"{there}: cannot {trying} there: {error.strerror or error}",
            "set HEADRACE_HOME to a folder on this machine's disk that you may write to",
        )
    return Finding("home", f"{home} ({'there' if there == home else 'not there yet'}; writes, renames, locks)")

"""What the machine refuses, wherever it happens: rights, room, memory. Said in a sentence, since no code mends it."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from tasks.errors import DISK_FULL

_RIGHTS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FILES = frozenset({errno.EMFILE, errno.ENFILE})


# How libraries say that memory, or a thread's share of it, was not given; they raise no MemoryError.
_NO_MEMORY = ("failed to map segment", "annot allocate memory", "can't allocate memory", "not enough memory",
              "bad_alloc", "can't start new thread", "error return without exception set")  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """What the machine refused.

    Attributes:
        code: The exit code: 2 where the user named a place without having the right to it, else 1.
        name: Of the kind, for programs.
        message: For people: what, where, and what to do.
    """

    code: int
    name: str
    message: str


def refusal_of(error: Exception) -> Refusal | None:
    """Return what an error of the system means to a user; None if it is a defect."""
    if isinstance(error, MemoryError) or any(said in str(error) for said in _NO_MEMORY):
        said = f" ({error})" if str(error) else ""
        return Refusal(
            1,
            "OutOfMemory",
            f"memory ran out{said}; nothing half-written stays\n"
            "  do: end other programs, take less data or a machine with more memory; `headrace check` says what a run "
            "takes",
        )
    if not isinstance(error, OSError):
        return None
    where = error.filename2 or error.filename or "a file"
    if error.errno in _RIGHTS:
        do = "ask for the right to it, or name another place"
        return Refusal(2, "NoRights", f"{where}: {error.strerror}\n  do: {do}")
    if error.errno in DISK_FULL:
        do = "free some space, or set HEADRACE_HOME (and TMPDIR) to a folder on a larger disk"
        return Refusal(1, "DiskFull", f"{where}: {error.strerror}; nothing half-written stays\n  do: {do}")
    if error.errno in _FILES:
        return Refusal(1, "TooManyFiles", f"{where}: {error.strerror}\n  do: raise the limit with `ulimit -n 65536`")
    return None

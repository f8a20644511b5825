"""Processes and what they started: how orphans are adopted, and how a whole tree is ended."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
from collections.abc import Iterable

import psutil  # type: ignore[import-untyped]

_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.05


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends, in place of the system's first process.

    So a tree can be found as a whole however deep it is and whatever sessions it opened. Linux only
    (https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html); elsewhere orphans are not found.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> list[int]:
    """Return the ids of the processes whose parent is this one, also of those that have ended unnoticed."""
    return [each.pid for each in psutil.Process().children()]


def kill_below(roots: Iterable[int]) -> None:
    """End processes and all below them at once, with SIGKILL; what they start in the meantime is ended too."""
    found = []
    for pid in roots:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    while found:
        for each in tuple(found):
            with contextlib.suppress(psutil.NoSuchProcess):
                found += each.children(recursive=True)
        for each in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        # A process that was just being started may have appeared after its parent was looked at.
        found = [each for each in found if _alive(each)]
        if found:
            time.sleep(_POLL_SECONDS)


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False

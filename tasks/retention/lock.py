"""Runs and the removal of garbage keep out of each other's way: a lock on the home's folder, shared by runs.

The system lets go of it when a process ends, however it does. An object store has no locks: there the grace period and
the folders of unfinished runs are what tells of a run at work.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.bundle.places import is_remote


@contextmanager
def at_work(home: Path) -> Iterator[None]:
    """Keep everything in a home for the time of the block; a removal that has begun is waited for."""
    if is_remote(home):
        yield
        return
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone(home: Path) -> Iterator[bool]:
    """Keep runs waiting for the time of the block, and yield whether that could be had: False while one is at work."""
    if is_remote(home) or not home.is_dir():
        yield True
        return
    descriptor = os.open(home, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)

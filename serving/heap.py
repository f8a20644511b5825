"""How much free memory the C library keeps, where that library is glibc."""

from __future__ import annotations

import ctypes
import os

# By the variable that sets the same from outside: the option's number in glibc's malloc.h, and its value.
_OPTIONS = {
    # One heap for all threads. By default each thread has its own, up to eight for each core, and every one of them
    # keeps the most that its thread ever needed, although Python lets hardly two of them allocate at a time.
    "MALLOC_ARENA_MAX": (-8, 1),
    # What is larger goes back to the system as soon as it is freed. By default this limit follows the largest request
    # that ever came, up to 32 MiB, and twice as much may then stay free at the heap's end.
    "MALLOC_MMAP_THRESHOLD_": (-3, 4 * 1024 * 1024),
    # So much may stay free at the heap's end.
    "MALLOC_TRIM_THRESHOLD_": (-1, 8 * 1024 * 1024),
}
_TUNABLES = "GLIBC_TUNABLES"


def bound_heap() -> None:
    """Have the C library give back what requests no longer need, so that memory does not depend on what came before.

    Call it first of all: threads that have allocated keep the heap that they have. Options that the environment sets
    stay as they are. Under another C library nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or "glibc.malloc" in os.environ.get(_TUNABLES, ""):
        return
    for variable, (option, value) in _OPTIONS.items():
        if variable not in os.environ:
            mallopt(option, value)

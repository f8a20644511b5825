"""The allocators of data work: what one piece of work frees, the next takes again without asking the system for it."""

from __future__ import annotations

import ctypes
import os

import pyarrow as pa

# Numbers of glibc's `mallopt` (https://man7.org/linux/man-pages/man3/mallopt.3.html).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
# So much free memory a heap keeps; what is larger than the second, the most that glibc allows, is always given back.
_KEPT, _LARGEST = 64 << 20, 32 << 20


def reuse_memory() -> None:
    """Have Arrow and the C library keep freed memory for the next piece of work.

    Memory that is new from the system costs a page fault for every 4 KiB; to keep it spares the data work more than a
    quarter of its faults. What the environment says (`ARROW_DEFAULT_MEMORY_POOL`, `MALLOC_TRIM_THRESHOLD_`) stands, and
    another C library than glibc stays as it is.
    """
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        # Arrow's own allocator gives memory back at once.
        pa.set_memory_pool(pa.system_memory_pool())
    library = ctypes.CDLL(None)
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ and hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, _LARGEST)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)

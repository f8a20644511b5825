"""Allocate from many threads after `bound_heap`; print how many heaps there are, and whether large memory goes back.

A process of its own, since what a heap's options do depends on all that came before.
"""

from __future__ import annotations

import ctypes
import json
import threading

from serving.heap import bound_heap

_LARGE = 16 * 1024 * 1024
_THREADS = 4
_MOST_TEXT = 1 << 20
_FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS]


def _heaps(libc: ctypes.CDLL) -> int:
    """Count the heaps in the report that glibc writes of itself."""
    text = ctypes.create_string_buffer(_MOST_TEXT)
    libc.fmemopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(libc.fmemopen(text, ctypes.c_size_t(_MOST_TEXT), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    return text.value.count(b"<heap nr=")


def _main() -> None:
    bound_heap()
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.mallinfo2.restype = _MallocInfo
    together = threading.Barrier(_THREADS)

    def allocate() -> None:
        together.wait()
        libc.malloc(ctypes.c_size_t(1000))
        together.wait()

    threads = [threading.Thread(target=allocate) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The second time, glibc would by default keep it in the heap.
    for _ in range(2):
        before = libc.mallinfo2().hblkhd
        block = libc.malloc(ctypes.c_size_t(_LARGE))
        apart = libc.mallinfo2().hblkhd - before >= _LARGE
        libc.free(ctypes.c_void_p(block))
    print(json.dumps([_heaps(libc), apart]))


if __name__ == "__main__":
    _main()

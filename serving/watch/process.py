"""What a worker's process uses, as the operating system says."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from serving.watch.families import Numbers

_MEMORY = Path("/proc/self/statm")
_FILES = Path("/proc/self/fd")
_STARTED = time.time()


def process_numbers(worker: str) -> Numbers:
    """Return memory, CPU time, open files and start of this process; what only Linux tells is left out elsewhere.

    Args:
        worker: The label's value.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    numbers: Numbers = {
        "headrace_worker_cpu_seconds": {(worker,): usage.ru_utime + usage.ru_stime},
        "headrace_worker_start_seconds": {(worker,): _STARTED},
    }
    if _MEMORY.exists():
        pages = int(_MEMORY.read_text().split()[1])
        numbers["headrace_worker_memory_bytes"] = {(worker,): pages * os.sysconf("SC_PAGE_SIZE")}
        numbers["headrace_worker_open_files"] = {(worker,): sum(1 for _ in _FILES.iterdir())}
    return numbers

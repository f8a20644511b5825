"""`serving.heap`, in processes of their own."""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serving.bundles import Endpoint

ROOT = Path(__file__).parents[2]
OF_GLIBC = ("MALLOC_", "GLIBC_TUNABLES")
HEAP_BYTES = 64 * 1024 * 1024

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc's heap")


def allocating(**variables: str) -> Any:
    """Return how many heaps a process has, and whether it gives large memory back."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(OF_GLIBC)}
    command = [sys.executable, "-m", "tests.serving.allocating"]
    done = subprocess.run(command, cwd=ROOT, env=own | variables, capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_threads_share_a_heap_and_large_memory_goes_back() -> None:
    assert allocating() == [1, True]


def test_what_the_environment_sets_stays() -> None:
    heaps, apart = allocating(MALLOC_ARENA_MAX="8")
    assert heaps > 1
    assert apart
    heaps, apart = allocating(GLIBC_TUNABLES="glibc.malloc.tcache_count=7")
    assert heaps > 1
    assert not apart


@pytest.mark.skipif(any(name.startswith(OF_GLIBC) for name in os.environ), reason="the environment sets it")
def test_the_endpoint_has_one_heap(endpoint: Endpoint) -> None:
    maps = Path(f"/proc/{endpoint.process.pid}/maps").read_text()
    starts = [int(start, 16) for start in re.findall(r"^([0-9a-f]+)-\S+ rw-p 00000000 00:00 0 *\n", maps, re.MULTILINE)]
    ends = [int(end, 16) for end in re.findall(r"^[0-9a-f]+-([0-9a-f]+) ---p 00000000 00:00 0 *\n", maps, re.MULTILINE)]
    # A thread's own heap is so much address space, aligned, the part in use followed by the rest.
    assert not [start for start in starts if start % HEAP_BYTES == 0 and start + HEAP_BYTES in ends]

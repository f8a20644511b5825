import os
import subprocess
import sys

import pytest

# Makes and frees the same blocks again and again, and counts the pages that the system had to give for it.
_AGAIN = """
import resource, numpy
import tasks.engine
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    blocks = [numpy.ones(1 << 18) for _ in range(10)]
for _ in range(3):
    work()
before = faults()
for _ in range(20):
    work()
print(faults() - before)
"""


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="glibc alone is told")
def test_freed_memory_is_used_again_unless_the_environment_says_otherwise():
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", _AGAIN], env=env, capture_output=True, check=True).stdout)
        for env in (dict(os.environ), {**os.environ, "MALLOC_TRIM_THRESHOLD_": "0"})
    )
    # Each time the blocks are 20 MiB, which is 5,120 pages.
    assert kept < 5_120
    assert given_back > 20 * 2_560

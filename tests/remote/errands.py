"""Work for a cluster, in a module that imports little: scheduler and workers import it too."""

from __future__ import annotations

import time

import numpy as np


def doze(item: int) -> int:
    """Take a while."""
    time.sleep(0.2)
    return item


def devour(item: int) -> int:
    """Take 800 MB of memory."""
    eaten = [np.ones(5_000_000) for _ in range(20)]
    time.sleep(5)
    return item + len(eaten)

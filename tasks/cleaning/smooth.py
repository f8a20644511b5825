"""Filters against noise: the median or the mean of the rows up to each one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.cleaning.config import SmoothConfig

Floats = NDArray[np.float64]

# Values of all windows that are held at once.
_HELD = 1 << 21


def smooth(values: Floats, groups: NDArray[np.uint64], config: SmoothConfig, first: int = 0) -> Floats:
    """Replace each value by the median or mean of the last `config.window` values of its group, itself included.

    Args:
        values: float64 [N] in order; NaN where there is none, which counts for nothing and stays.
        groups: uint64 [N], the group of each; equal ones stand together.
        config: The filter.
        first: The rows before this one are only looked back at.

    Returns:
        float64 [N - first]. The same whatever stands before the first `config.window - 1` rows that are looked back at.
    """
    width = config.window
    padded = np.concatenate([np.full(width - 1, np.nan), values])
    begins = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    # How many rows of the same group stand before each row.
    before = np.arange(len(values)) - np.repeat(begins, np.diff(np.append(begins, len(values))))
    smoothed = np.empty(len(values) - first)
    step = max(1, _HELD // width)
    for start in range(first, len(values), step):
        stop = min(start + step, len(values))
        windows = np.lib.stride_tricks.sliding_window_view(padded[start : stop + width - 1], width).copy()
        windows[np.arange(width - 1, -1, -1) > before[start:stop, None]] = np.nan
        smoothed[start - first : stop - first] = (_medians if config.method == "median" else _means)(windows)
    smoothed[np.isnan(values[first:])] = np.nan
    return smoothed


def _medians(windows: Floats) -> Floats:
    # NaN is sorted behind everything else.
    windows.sort(axis=1)
    rows = np.arange(len(windows))
    counts = np.maximum(np.count_nonzero(~np.isnan(windows), axis=1), 1)
    low, high = windows[rows, (counts - 1) // 2], windows[rows, counts // 2]
    # Half of each, for their sum may be beyond the largest number.
    return np.asarray(np.where(low == high, low, low * 0.5 + high * 0.5))


def _means(windows: Floats) -> Floats:
    there = ~np.isnan(windows)
    counts = np.maximum(np.count_nonzero(there, axis=1), 1)
    filled = np.where(there, windows, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = filled.sum(axis=1)
    means = np.asarray(sums / counts)
    # The sum may be beyond the largest number where the mean is not.
    beyond = ~np.isfinite(sums)
    means[beyond] = (filled[beyond] / counts[beyond, None]).sum(axis=1)
    return means

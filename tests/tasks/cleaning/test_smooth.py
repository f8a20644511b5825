from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tasks.cleaning import smooth as smoothing
from tasks.cleaning.config import SmoothConfig
from tasks.cleaning.smooth import smooth


def test_the_median_takes_out_a_spike_and_the_mean_spreads_it():
    values = np.array([1.0, 1.0, 100.0, 1.0, np.nan, 1.0])
    one = np.zeros(6, np.uint64)
    median = smooth(values, one, SmoothConfig(method="median", window=3))
    assert np.array_equal(median, [1, 1, 1, 1, np.nan, 1], equal_nan=True)
    mean = smooth(values, one, SmoothConfig(method="mean", window=3))
    assert np.array_equal(mean, [1, 1, 34, 34, np.nan, 1], equal_nan=True)


@pytest.mark.parametrize("method", ["median", "mean"])
@pytest.mark.parametrize("window", [2, 5, 40])
def test_it_agrees_with_pandas_whatever_is_held_at_once(method, window, monkeypatch):
    random = np.random.default_rng(window)
    values = np.where(random.random(300) < 0.3, np.nan, random.normal(size=300))
    groups = np.sort(random.integers(0, 6, 300)).astype(np.uint64)
    rolled = pd.Series(values).groupby(groups).rolling(window, min_periods=1)
    expected = getattr(rolled, method)().to_numpy().copy()
    expected[np.isnan(values)] = np.nan
    config = SmoothConfig(method=method, window=window)
    whole = smooth(values, groups, config)
    assert np.allclose(whole, expected, equal_nan=True)
    monkeypatch.setattr(smoothing, "_HELD", 64)
    assert np.array_equal(smooth(values, groups, config), whole, equal_nan=True)
    back = window - 1
    assert np.array_equal(smooth(values[100:], groups[100:], config, first=back), whole[100 + back :], equal_nan=True)


@pytest.mark.parametrize("method", ["median", "mean"])
def test_large_values_do_not_overflow(method):
    values = np.array([1.7e308, 1.6e308])
    assert smooth(values, np.zeros(2, np.uint64), SmoothConfig(method=method, window=2))[1] == pytest.approx(1.65e308)

import datetime as dt

import numpy as np
import pyarrow as pa

from tasks.preprocessing.columns import category_values, instants, numeric_values, one_array


def test_chunks_become_one_array():
    assert one_array(pa.chunked_array([["a"], ["b", None]])).to_pylist() == ["a", "b", None]
    assert one_array(pa.chunked_array([], type=pa.string())).to_pylist() == []


def test_numbers_integers_and_booleans_are_float64_with_nan_for_null():
    for array, expected in (
        (pa.array([1.5, None, -0.0]), [1.5, np.nan, -0.0]),
        (pa.array([2**53 + 1, None]), [float(2**53), np.nan]),
        (pa.array([True, False, None]), [1.0, 0.0, np.nan]),
    ):
        found = numeric_values(array)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, expected)


def test_dates_are_instants_at_midnight():
    dates = pa.array([dt.date(1970, 1, 2), None, dt.date(1969, 12, 31)])
    assert instants(dates).tolist() == [86_400_000_000, 0, -86_400_000_000]
    np.testing.assert_array_equal(numeric_values(dates, "day_of_year"), [2.0, np.nan, 365.0])
    assert category_values(dates, "day_of_week").to_pylist() == [5, None, 3]


def test_timestamps_without_a_part_are_microseconds():
    times = pa.array([dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC), None], pa.timestamp("us", tz="UTC"))
    np.testing.assert_array_equal(numeric_values(times), [1e6, np.nan])
    assert category_values(times, "hour").to_pylist() == [0, None]


def test_the_empty_string_is_no_category():
    assert category_values(pa.array(["", "a", None])).to_pylist() == [None, "a", None]
    assert category_values(pa.array([True, None, False])).to_pylist() == [1, None, 0]

import datetime as dt

import numpy as np
import pyarrow as pa

from tasks.preprocessing.columns import categories, instants, numeric_values, one_array


def _listed(column, part=None):
    found = categories(column, part)
    values = [*found.values.to_pylist(), None]
    assert found.counts.sum() == len(found.positions)
    return [values[position] for position in found.positions]


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
    assert _listed(dates, "day_of_week") == [5, None, 3]


def test_timestamps_without_a_part_are_microseconds():
    times = pa.array([dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC), None], pa.timestamp("us", tz="UTC"))
    np.testing.assert_array_equal(numeric_values(times), [1e6, np.nan])
    assert _listed(times, "hour") == [0, None]


def test_the_empty_string_is_no_category():
    assert _listed(pa.array(["", "a", None])) == [None, "a", None]
    assert _listed(pa.array([True, None, False])) == [1, None, 0]


def test_a_dictionary_with_empty_repeated_and_unused_values_is_read_like_plain_text():
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 2, 3, 4, 1]), ["a", "", "b", None, "a", "unused"])
    assert _listed(dictionary) == ["a", None, None, "b", None, "a", None]
    chunks = pa.chunked_array([pa.array(["x", "y"]).dictionary_encode(), pa.array(["y", None]).dictionary_encode()])
    assert _listed(chunks) == ["x", "y", "y", None]


def test_years_far_apart_and_no_rows_at_all():
    times = pa.array([-(2**62), 0, 2**62], pa.timestamp("us", tz="UTC"))
    assert _listed(times, "month") == numeric_values(times, "month").tolist()
    assert _listed(times.slice(0, 0), "month") == []
    assert _listed(pa.array([], pa.string())) == []

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.preprocessing.counting import count_values, joined

STRANGE = [np.nan, np.inf, -np.inf, 0.0, -0.0, 0.1, 1 / 3, 1e300, -5e-324, 2.0**53 + 2]


def _require_counted(values: np.ndarray) -> None:
    expected, occurrences = np.unique(values[np.isfinite(values)], return_counts=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, counts = count_values(values)
    assert found.tolist() == expected.tolist()
    assert counts.tolist() == occurrences.tolist()
    assert found.dtype == np.float64
    assert counts.dtype == np.int64
    assert not np.signbit(found[found == 0]).any()


@given(
    multiples=st.lists(st.integers(-3_000, 3_000), max_size=300),
    step=st.sampled_from([86_400e6, 60e6, 1e6, 1.0, 100.0, 10_000.0, 3.7]),
    divided=st.booleans(),
    strange=st.lists(st.sampled_from(STRANGE), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_multiples_of_a_step_are_counted_like_any_values(multiples, step, divided, strange):
    whole = np.array(multiples, dtype=np.float64)
    values = np.concatenate([whole / step if divided else whole * step, strange])
    _require_counted(np.random.default_rng(len(values)).permutation(values))


@pytest.mark.parametrize("odd", [[], [1e9], [0.123], [np.nan, np.inf], [2.0**60]], ids=str)
@pytest.mark.parametrize("shift", [0.0, -50.0, 1.357e9, 2.0**58])
def test_a_value_off_the_grid_or_far_away_is_counted_too(odd, shift):
    random = np.random.default_rng(0)
    values = np.round(random.normal(10, 5, size=20_000), 2) + shift
    values[random.integers(0, len(values), len(odd))] = odd
    _require_counted(values)
    _require_counted(np.rint(values))


@pytest.mark.parametrize("values", [[], [np.nan], [np.nan] * 5_000, [np.inf] * 9, [-np.inf, np.inf] * 3, [-0.0] * 7])
def test_columns_without_a_number_or_of_one_are_counted(values):
    _require_counted(np.array(values, dtype=np.float64))


def test_equal_values_are_joined_in_order():
    values, counts = joined(np.array([2.0, 0.0, 1.0, -0.0, 2.0]), np.array([1, 2, 3, 4, 5]))
    assert values.tolist() == [0.0, 1.0, 2.0]
    assert counts.tolist() == [6, 3, 6]
    assert not np.signbit(values[0])

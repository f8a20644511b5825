import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.preprocessing.sketch import Distribution

floats = st.floats(allow_nan=False, allow_infinity=False, width=32)
PROBABILITIES = [0.0, 0.001, 0.25, 0.5, 0.7, 0.999, 1.0]


@given(values=st.lists(floats, min_size=1, max_size=200), cuts=st.lists(st.integers(0, 200), max_size=5))
@settings(max_examples=100, deadline=None)
def test_while_it_fits_any_partitioning_is_exact(values, cuts):
    array = np.array(values, dtype=np.float64)
    parts = np.split(array, sorted(min(cut, len(array)) for cut in cuts))
    merged = Distribution.of(parts[0])
    for part in parts[1:]:
        merged = merged.merge(Distribution.of(part))
    assert merged.error == 0
    assert merged.rows == len(values)
    expected = np.quantile(array, PROBABILITIES, method="inverted_cdf")
    assert merged.quantiles(PROBABILITIES).tolist() == expected.tolist()


@given(seed=st.integers(0, 1000), order=st.permutations(range(6)), skew=st.sampled_from(["normal", "heavy", "few"]))
@settings(max_examples=40, deadline=None)
def test_beyond_its_size_no_rank_is_wrong_by_more_than_it_says(seed, order, skew):
    random = np.random.default_rng(seed)
    draws = {
        "normal": lambda: random.normal(size=700),
        "heavy": lambda: np.where(random.random(700) < 0.6, 3.0, random.lognormal(size=700)),
        "few": lambda: random.integers(0, 90, size=700).astype(float),
    }
    parts = [draws[skew]() for _ in range(6)]
    merged = Distribution.of(parts[order[0]], max_points=64)
    for position in order[1:]:
        merged = merged.merge(Distribution.of(parts[position], max_points=64), max_points=64)
    everything = np.sort(np.concatenate(parts))
    assert len(merged.values) <= 64
    assert merged.rows == len(everything)
    cumulative = np.cumsum(merged.counts)
    ranks = np.searchsorted(everything, merged.values, side="right")
    assert np.abs(ranks - cumulative).max() <= merged.error
    queries = random.choice(everything, 200)
    at = np.searchsorted(merged.values, queries, side="right")
    estimated = np.concatenate([[0], cumulative])[at]
    assert np.abs(np.searchsorted(everything, queries, side="right") - estimated).max() <= merged.error
    assert merged.error <= 6 * len(everything) / 32


def test_a_thousand_merges_in_a_tree_stay_within_a_thousandth():
    random = np.random.default_rng(0)
    parts = [random.normal(size=2000) for _ in range(256)]
    level = [Distribution.of(part, max_points=4096) for part in parts]
    while len(level) > 1:
        level = [a.merge(b, max_points=4096) for a, b in zip(level[::2], level[1::2], strict=True)]
    assert 0 < level[0].error < 0.005 * 512_000
    median = level[0].quantiles([0.5])[0]
    assert abs((np.concatenate(parts) <= median).mean() - 0.5) < 0.001


@given(values=st.lists(floats, min_size=1, max_size=200), probability=st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_interpolated_quantiles_are_numpys(values, probability):
    array = np.array(values, dtype=np.float64)
    found = Distribution.of(array).interpolated([probability])[0]
    assert found == pytest.approx(np.quantile(array, probability), rel=1e-9, abs=1e-300)


@given(seed=st.integers(0, 1_000), cut=st.integers(0, 6_000))
@settings(max_examples=20, deadline=None)
def test_many_different_values_are_counted_like_few(seed, cut):
    random = np.random.default_rng(seed)
    values = np.concatenate([random.normal(size=6_000), [np.nan, np.inf, -np.inf, 0.0, -0.0, -0.0]])
    random.shuffle(values)
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    whole = Distribution.of(values)
    merged = Distribution.of(values[cut:]).merge(Distribution.of(values[:cut]))
    for found in (whole, merged):
        assert found.values.tolist() == distinct.tolist()
        assert found.counts.tolist() == counts.tolist()
        assert not np.signbit(found.values[found.values == 0]).any()


def test_nan_and_infinities_take_no_part_and_the_zeros_are_one():
    distribution = Distribution.of(np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 2.0]))
    assert distribution.values.tolist() == [0.0, 2.0]
    assert not np.signbit(distribution.values[0])
    assert distribution.counts.tolist() == [2, 1]


@pytest.mark.parametrize("rows", [1, 3, 10, 1000])
def test_quantiles_at_whole_ranks_do_not_slip(rows):
    distribution = Distribution.of(np.arange(1.0, rows + 1))
    probabilities = [rank / rows for rank in range(1, rows + 1)]
    assert distribution.quantiles(probabilities).tolist() == list(range(1, rows + 1))

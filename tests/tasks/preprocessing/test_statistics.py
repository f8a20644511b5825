import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.preprocessing.columns import categories
from tasks.preprocessing.statistics import CategorySummary, Moments, NumericSummary, merge_summaries

numbers = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan))
words = st.one_of(st.none(), st.sampled_from(["a", "b", "ä", "zz", "A"]))


def _parts(values, cuts):
    bounds = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    return [values[start:stop] for start, stop in pairwise(bounds)]


@given(values=st.lists(numbers, max_size=100), cuts=st.lists(st.integers(0, 100), max_size=4))
@settings(max_examples=100, deadline=None)
def test_moments_do_not_depend_on_the_partitioning(values, cuts):
    whole = Moments.of(np.array(values, dtype=np.float64))
    merged = Moments.of(np.array([], dtype=np.float64))
    for part in _parts(values, cuts):
        merged = merged.merge(Moments.of(np.array(part, dtype=np.float64)))
    assert (merged.rows, merged.nulls, merged.count) == (whole.rows, whole.nulls, whole.count)
    assert (merged.minimum, merged.maximum) == (whole.minimum, whole.maximum)
    assert merged.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-6)
    assert merged.std == pytest.approx(whole.std, rel=1e-9, abs=1e-4)


def test_moments_agree_with_numpy_far_from_zero():
    values = 1e9 + np.random.default_rng(0).normal(size=10_000)
    merged = Moments.of(values[:17]).merge(Moments.of(values[17:]))
    assert merged.std == pytest.approx(values.std(), rel=1e-9)
    assert merged.mean == pytest.approx(values.mean(), rel=1e-15)


def test_infinities_are_neither_null_nor_measured():
    moments = Moments.of(np.array([1.0, np.inf, np.nan]))
    assert (moments.rows, moments.nulls, moments.count, moments.maximum) == (3, 1, 1, 1.0)


@given(values=st.lists(words, max_size=60), cuts=st.lists(st.integers(0, 60), max_size=4))
@settings(max_examples=100, deadline=None)
def test_category_counts_do_not_depend_on_the_partitioning(values, cuts):
    whole = CategorySummary.of(categories(pa.array(values, pa.string())))
    merged = CategorySummary.of(categories(pa.array([], pa.string())))
    for part in _parts(values, cuts):
        merged = merged.merge(CategorySummary.of(categories(pa.array(part, pa.string()))))
    expected = {word: values.count(word) for word in sorted({word for word in values if word is not None})}
    for summary in (whole, merged):
        assert dict(zip(summary.values.to_pylist(), summary.counts.tolist(), strict=True)) == expected
        assert summary.values.to_pylist() == list(expected)
        assert (summary.rows, summary.nulls, summary.missed) == (len(values), values.count(None), 0)


def test_integers_are_counted_as_text():
    summary = CategorySummary.of(categories(pa.array([10, 9, 10, None], pa.int64())))
    assert summary.values.to_pylist() == ["10", "9"]
    assert summary.counts.tolist() == [2, 1]


@given(seed=st.integers(0, 500))
@settings(max_examples=30, deadline=None)
def test_pruned_counts_are_never_too_large_nor_smaller_than_they_say(seed):
    random = np.random.default_rng(seed)
    parts = [(random.zipf(1.3, size=300) % 200).astype(str) for _ in range(5)]
    merged = CategorySummary.of(categories(pa.array(parts[0])), max_categories=20)
    for part in parts[1:]:
        merged = merged.merge(CategorySummary.of(categories(pa.array(part)), max_categories=20), max_categories=20)
    true = dict(zip(*np.unique(np.concatenate(parts), return_counts=True), strict=True))
    kept = dict(zip(merged.values.to_pylist(), merged.counts.tolist(), strict=True))
    assert len(kept) <= 20
    assert merged.missed <= 1500 / 20
    for word, count in true.items():
        assert count - merged.missed <= kept.get(word, 0) <= count


@given(parts=st.permutations([[1.0, 2.0, math.nan], [], [2.0, -5.5], [math.nan], [0.1] * 7]))
@settings(max_examples=30, deadline=None)
def test_numeric_summaries_merge_in_any_order(parts):
    summaries = [NumericSummary.of(np.array(part, dtype=np.float64)) for part in parts]
    whole = NumericSummary.of(np.concatenate([np.array(part, dtype=np.float64) for part in parts]))
    left = summaries[0]
    for summary in summaries[1:]:
        left = left.merge(summary)
    right = summaries[-1]
    for summary in summaries[-2::-1]:
        right = summary.merge(right)
    for merged in (left, right):
        assert merged.distribution.values.tolist() == whole.distribution.values.tolist()
        assert merged.distribution.counts.tolist() == whole.distribution.counts.tolist()
        assert (merged.moments.rows, merged.moments.nulls) == (whole.moments.rows, whole.moments.nulls)
        assert merged.moments.mean == pytest.approx(whole.moments.mean)
        assert merged.moments.std == pytest.approx(whole.moments.std)


def test_summaries_merge_name_by_name():
    first = {"n": NumericSummary.of(np.array([1.0])), "c": CategorySummary.of(categories(pa.array(["x"])))}
    second = {"n": NumericSummary.of(np.array([3.0])), "c": CategorySummary.of(categories(pa.array(["x"])))}
    merged = merge_summaries(first, second)
    assert merged["n"].moments.mean == 2.0
    assert merged["c"].counts.tolist() == [2]

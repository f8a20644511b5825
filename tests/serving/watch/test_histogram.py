"""Histograms and the quantiles read from them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.records.request import InferRequest
from serving.watch.histogram import COUNTS, SECONDS, Histogram, quantile
from serving.watch.runs import RunWatch


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1e-5, 60), min_size=1, max_size=80), st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_a_quantile_is_in_the_bucket_of_the_value(values: list[float], share: float) -> None:
    histogram = Histogram(SECONDS)
    for value in values:
        histogram.add(value)
    found = quantile(SECONDS, histogram.counts, share)
    assert found is not None
    enough = [value for value in values if value <= found * 1.34]
    assert len(enough) >= share * len(values)
    assert found <= max(values) * 1.34


def test_bounds_are_inclusive_and_nothing_is_lost_beyond_the_last() -> None:
    histogram = Histogram(COUNTS)
    for value in (1, 2, 3, 10**9):
        histogram.add(value)
    assert histogram.counts[:3] == [1, 1, 1]
    assert histogram.counts[-1] == 1
    assert histogram.total == 10**9 + 6
    assert quantile(COUNTS, histogram.counts, 1.0) == COUNTS[-1]


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile(SECONDS, Histogram(SECONDS).counts, 0.5) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2**20))
def test_runs_are_counted_in_the_buckets_of_any_other_value(rows: int) -> None:
    watch, histogram = RunWatch(), Histogram(COUNTS)
    watch.ran([InferRequest(None, rows, {}, ())], {}, {}, 0.1)
    histogram.add(rows)
    assert watch.rows.counts == histogram.counts
    assert (watch.rows.total, sum(watch.requests.counts), sum(watch.seconds.counts)) == (rows, 1, 1)

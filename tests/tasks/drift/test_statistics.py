"""Counts, their noise, and what is made of many tests."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.drift.comparisons import Comparison, changed_at, compare_series, holm, pooled
from tasks.drift.counting import SeriesCounts, count_series
from tasks.drift.expected import Series
from tasks.drift.judge import rows_needed
from tasks.drift.noise import CellNoise, chi_squared_terms, ks_tail, ks_threshold, new_tail, psi_terms, rate_tail
from tasks.errors import DataError
from tasks.preprocessing.bins import describe_bins
from tasks.preprocessing.sketch import Distribution

NUMBER = Series(
    "x", "record", "x", "number", 1000, 0, counts=np.full(10, 100), edges=np.arange(1.0, 10.0), span=(0.5, 9.5)
)
CATEGORY = Series(
    "c",
    "record",
    "c",
    "category",
    1000,
    100,
    counts=np.array([600, 299, 1, 0]),
    values=("a", "b", "c"),
    closed=True,
    once=1,
)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.one_of(st.none(), st.floats(-5, 15)), st.integers(0, 3)), max_size=60), st.randoms())
def test_counts_add_up_in_any_order(rows: list[tuple[float | None, int]], order: Random) -> None:
    words = [None if value is None else "abcdz"[int(abs(value)) % 5] for value, _ in rows]
    for series, values in ((NUMBER, [value for value, _ in rows]), (CATEGORY, words)):
        kind = pa.float64() if series is NUMBER else pa.string()
        places = np.array([place for _, place in rows], np.int64)
        whole = count_series(series, pa.array(values, kind), places, 4)
        parts = [count_series(series, pa.array([one], kind), places[at : at + 1], 4) for at, one in enumerate(values)]
        order.shuffle(parts)
        merged = SeriesCounts.none(series, 4)
        for part in parts:
            merged = part.merge(merged)
        for name in ("cells", "there", "nulls", "strange"):
            np.testing.assert_array_equal(getattr(merged, name), getattr(whole, name))
        assert whole.rows == len(rows) - values.count(None) == whole.cells.sum()


@pytest.mark.parametrize(
    ("series", "column", "said"),
    [
        (NUMBER, pa.array(["1"]), "expected numbers, got string"),
        (CATEGORY, pa.array([b"a"]), "expected texts"),
        (replace(NUMBER, place=1), pa.array([1.0]), "expected lists, got double"),
    ],
)
def test_samples_of_another_type_are_refused(series: Series, column: pa.Array, said: str) -> None:
    with pytest.raises(DataError, match=said):
        count_series(series, column, np.zeros(len(column), np.int64), 1)


@settings(max_examples=40)
@given(st.lists(st.integers(-300, 300).map(lambda each: each / 10), min_size=1, max_size=400))
def test_bins_hold_every_row_and_rounding_moves_none(values: list[float]) -> None:
    array = np.array(values)
    found = describe_bins(Distribution.of(array))
    edges = np.array(found["edges"])
    assert (np.diff(edges) > 0).all()
    for rounded in (array, array.astype(np.float32).astype(np.float64)):
        counts = np.bincount(np.searchsorted(edges, rounded), minlength=len(edges) + 1)
        np.testing.assert_array_equal(counts, found["counts"])


def test_a_value_that_repeats_has_a_bin_of_its_own() -> None:
    found = describe_bins(Distribution.of(np.array([0.0] * 90 + [1.0, 2.0, 3.0, 4.0, 5.0] * 2)))
    assert found["counts"][:2] == [90, 0]
    assert 0 < found["edges"][0] < 1e-4
    assert describe_bins(Distribution.of(np.full(3, 7.0))) == {"edges": [], "counts": [3]}
    far = describe_bins(Distribution.of(np.array([-1.7e308, 1.7e308])))
    assert np.isfinite(far["edges"]).all()
    assert sum(far["counts"]) == 2


@pytest.mark.parametrize("rows", [50, 500])
def test_tails_hold_what_they_promise(rows: int) -> None:
    random = np.random.default_rng(0)
    shares = np.array([0.5, 0.3, 0.1, 0.07, 0.03])
    reference = random.multinomial(3000, shares)
    noise, p_values = CellNoise(reference, rows), []
    for drawn, terms in ((noise.psi(), psi_terms), (noise.chi_squared(), chi_squared_terms)):
        served = random.multinomial(rows, reference / 3000, 4000)
        statistics = terms(served, reference, rows, 3000).sum(axis=1)
        p_values = [drawn.of(each) for each in statistics]
        assert np.mean(np.array(p_values) <= 0.05) <= 0.05
        assert drawn.of(drawn.threshold(1e-6)) == pytest.approx(1e-6, rel=1e-3)
        # A bound that is never near the truth would be worth nothing.
        assert np.mean(np.array(p_values) <= 0.3) >= 0.01


def test_tails_of_rates_and_distances() -> None:
    assert rate_tail(0, 100, 0, 100) == 1.0
    assert rate_tail(5, 1000, 0, 100_000) < 1e-8
    assert rate_tail(50, 1000, 5000, 100_000) == pytest.approx(1.0, abs=0.1)
    # Of eleven rows each is as likely the least, or the greatest.
    assert new_tail(1, 1, 10, 2) == pytest.approx(2 / 11)
    assert ks_tail(ks_threshold(1e-5, 100.0), 100.0) == pytest.approx(1e-5)
    assert 250 < rows_needed(90, 0.0005, 10**6) < rows_needed(90, 0.0005, 2000) < 400
    assert rows_needed(90, 0.0005, 100) < 400


@settings(max_examples=30)
@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=30))
def test_correction_is_between_one_test_and_all(p_values: list[float]) -> None:
    corrected = holm(p_values)
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()
    assert all(
        p <= c <= min(1.0, p * len(p_values)) or c == max(corrected) for p, c in zip(p_values, corrected, strict=True)
    )
    assert min(corrected) == pytest.approx(min(1.0, min(p_values) * len(p_values)))


def test_no_drift_does_not_alarm() -> None:
    random, fewest = np.random.default_rng(4), 1.0
    for _ in range(100):
        numbers = pa.array(random.uniform(0.5, 9.5, 400))
        words = pa.array(random.choice(["a", "b", ""], 400, p=[0.6, 0.3, 0.1]))
        found: list[Comparison] = []
        for series, column in ((NUMBER, numbers), (CATEGORY, words)):
            found += compare_series(series, count_series(series, column, np.zeros(400, np.int64), 1))
        assert len(found) == 8
        fewest = min(fewest, *holm([each.p_value for each in found]))
    assert fewest > 0.0005


def test_rare_categories_are_one_group() -> None:
    assert pooled(np.array([500, 3, 300, 2, 100, 1, 0]), 1000, ordered=False).tolist() == [0, 3, 1, 3, 2, 3, 3]
    assert pooled(np.array([500, 3, 300, 0, 100, 1, 0]), 1000, ordered=False).tolist() == [0, 2, 1, 2, 2, 2, 2]
    assert pooled(np.array([5000, 0]), 1000, ordered=False).tolist() == [0, 0]
    assert pooled(np.array([10, 980, 10]), 1000, ordered=True).tolist() == [0, 1, 2]


def test_the_beginning_of_a_change_is_found() -> None:
    served = np.array([[90, 10]] * 6 + [[60, 40]] * 4)
    compared = Comparison("x", "record", "psi", 1.0, 0.0, lambda _: math.nan, "", np.array([900, 100]), served)
    assert changed_at(compared) == 6
    assert changed_at(replace(compared, served=served[6:])) == 0

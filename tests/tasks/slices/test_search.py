from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.slices.groups import Groups
from tasks.slices.search import MOST_PAIRED, worst_slices

ROWS = 4000
SEARCH = {"min_rows": 100, "find": 10, "confidence": 0.95}


def column(name: str, seed: int, groups: int = 4) -> Groups:
    place = np.random.default_rng(seed).integers(0, groups, ROWS)
    return Groups(name, tuple(f"{name}{at}" for at in range(groups)), place)


def noise(seed: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).exponential(0.4, ROWS)


A, B, C = (column(name, seed) for seed, name in enumerate("abc"))


def test_a_planted_slice_is_found_first_and_alone() -> None:
    losses = noise() + 0.5 * (A.place == 2)
    found, tried = worst_slices([A, B, C], losses, **SEARCH)
    assert found[0].values == (("a", "a2"),)
    assert found[0].rows.tolist() == np.flatnonzero(A.place == 2).tolist()
    assert found[0].interval[0] < 0.5 < found[0].interval[1]
    assert tried == 3 * 4 + 3 * 16
    # Its parts are worse by chance alone, if at all.
    assert all(("a", "a2") in each.values for each in found)


def test_a_slice_of_two_columns_is_found_where_it_is_worse_than_either() -> None:
    planted = (A.place == 1) & (B.place == 3)
    found, _ = worst_slices([A, B, C], noise() + 0.8 * planted, **SEARCH)
    assert found[0].values == (("a", "a1"), ("b", "b3"))
    assert len(found[0].rows) == planted.sum()


def test_the_test_is_welchs() -> None:
    losses = noise() + 0.3 * (A.place == 0)
    found, tried = worst_slices([A], losses, **SEARCH)
    inside, outside = losses[A.place == 0], losses[A.place != 0]
    expected = stats.ttest_ind(inside, outside, equal_var=False, alternative="greater").pvalue
    assert found[0].p_value == pytest.approx(min(1.0, tried * expected))
    both = stats.ttest_ind(inside, outside, equal_var=False).confidence_interval(0.95)
    assert found[0].interval == pytest.approx((both.low, both.high))
    assert (found[0].loss, found[0].rest) == pytest.approx((inside.mean(), outside.mean()))


def test_noise_holds_no_slice() -> None:
    assert [len(worst_slices([A, B, C], noise(seed), **SEARCH)[0]) for seed in range(10)].count(0) >= 9


def test_small_slices_and_their_complements_are_not_tried() -> None:
    place = np.zeros(ROWS, np.int64)
    place[:60] = 1
    lonely = Groups("a", ("all", "few"), place)
    assert worst_slices([lonely], noise() + place, **SEARCH) == ([], 0)
    assert worst_slices([], noise(), **SEARCH) == ([], 0)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(-1e6, 1e6))
def test_what_every_row_loses_more_changes_nothing(seed: int, more: float) -> None:
    losses = noise(seed) + (C.place == 1)
    before, after = (worst_slices([A, C], each, **SEARCH)[0] for each in (losses, losses + more))
    assert [each.values for each in before] == [each.values for each in after]
    assert [each.difference for each in before] == pytest.approx([each.difference for each in after], rel=1e-6)


def test_equal_losses_hold_no_slice() -> None:
    assert worst_slices([A, B], np.ones(ROWS), **SEARCH)[0] == []


def test_of_many_columns_only_those_whose_groups_differ_most_are_tried_in_twos() -> None:
    many = [column(f"n{at}", 100 + at) for at in range(MOST_PAIRED)]
    planted = (A.place == 1) & (B.place == 3)
    found, tried = worst_slices([*many, A, B], noise() + 2.0 * planted, **SEARCH)
    assert found[0].values == (("a", "a1"), ("b", "b3"))
    assert tried == (MOST_PAIRED + 2) * 4 + MOST_PAIRED * (MOST_PAIRED - 1) // 2 * 16

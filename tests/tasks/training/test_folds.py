from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import ConfigError
from tasks.training.folds import folds, time_folds


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(2, 200), k=st.integers(2, 10), seed=st.integers(0, 2**40), classes=st.integers(1, 4))
def test_every_class_is_spread_evenly_over_folds_of_one_size(rows: int, k: int, seed: int, classes: int) -> None:
    k = min(k, rows)
    target = np.random.default_rng(seed).integers(0, classes, rows)
    fold = folds(rows, k, seed, target)
    assert fold.dtype == np.int8
    assert np.ptp(np.bincount(fold, minlength=k)) <= 1
    for each in np.unique(target):
        assert np.ptp(np.bincount(fold[target == each], minlength=k)) <= 1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(2, 5))
def test_groups_stay_whole_and_no_fold_is_empty(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    groups = random.integers(0, 20, 300).astype(str)
    target = random.integers(0, 2, 300)
    fold = folds(300, k, seed, target, groups)
    assert all(len(np.unique(fold[groups == each])) == 1 for each in np.unique(groups))
    assert set(fold) == set(range(k))


def test_groups_are_placed_so_that_classes_are_even() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(0, 60, 3000)
    target = (random.random(3000) < 0.1).astype(np.int64)
    fold = folds(3000, 3, 0, target, groups)
    shares = [target[fold == each].mean() for each in range(3)]
    assert np.ptp(shares) < 0.02
    assert np.ptp(np.bincount(fold)) < 120


def test_the_seed_decides_and_nothing_else() -> None:
    target = np.arange(90) % 3
    np.testing.assert_array_equal(folds(90, 5, 7, target), folds(90, 5, 7, target))
    assert (folds(90, 5, 7, target) != folds(90, 5, 8, target)).any()


@pytest.mark.parametrize(
    ("rows", "groups", "message"),
    [
        (3, None, "5 folds need at least 5 rows, and the training split has 3"),
        (6, np.array(list("aabbcc")), "5 folds need at least 5 groups, and the training split has 3"),
    ],
)
def test_too_few_rows_or_groups_are_refused(rows: int, groups: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        folds(rows, 5, 0, None, groups)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.integers(0, 30), min_size=20, max_size=200), k=st.integers(2, 5))
def test_in_time_every_fold_is_after_what_it_learns_from(values: list[int], k: int) -> None:
    instants = np.array(values)
    try:
        fold = time_folds(instants, k)
    except ConfigError:
        # Too many rows share too few values.
        assert len(np.unique(instants)) <= 5 * k
        return
    assert set(fold) == set(range(-1, k))
    for each in range(k):
        assert instants[fold < each].max() < instants[fold == each].min()


def test_rows_in_time_are_cut_evenly() -> None:
    fold = time_folds(np.arange(600)[::-1], 5)
    np.testing.assert_array_equal(np.bincount(fold + 1), [100] * 6)
    assert fold[0] == 4
    assert fold[-1] == -1

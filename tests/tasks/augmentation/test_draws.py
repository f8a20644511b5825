from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.augmentation.draws import Draws, threshold
from tasks.data.hashing import hash_rows


def _hashes(rows: int, state: int) -> NDArray[np.uint64]:
    return hash_rows([pa.array(np.arange(rows, dtype=np.int64))], rows, state)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), rows=st.integers(1, 400), state=st.integers(0, 2**64 - 1))
def test_a_threshold_picks_an_exact_number(data: st.DataObject, rows: int, state: int) -> None:
    chosen = data.draw(st.integers(0, rows - 1))
    assert (_hashes(rows, state) < np.uint64(threshold(rows, chosen, state))).sum() == chosen


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    wanted=st.lists(st.integers(0, 200), min_size=4, max_size=4),
    cuts=st.lists(st.integers(0, 240), max_size=4),
    seed=st.integers(0, 9),
)
def test_numbers_are_exact_and_do_not_depend_on_the_partitions(
    counts: list[int], wanted: list[int], cuts: list[int], seed: int
) -> None:
    target = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    asked = np.asarray(wanted[: len(counts)])
    draws = Draws.of(np.asarray(counts), asked, seed)
    whole = draws.occurrences(target, np.zeros(len(counts), dtype=np.int64))
    assert np.bincount(target, weights=whole, minlength=len(counts)).tolist() == asked.tolist()
    for place in range(len(counts)):
        assert np.ptp(whole[target == place]) <= 1, "all rows of a class occur equally often, but for one"
    pieces = np.split(target, sorted(min(cut, len(target)) for cut in cuts))
    before = np.zeros(len(counts), dtype=np.int64)
    found = []
    for piece in pieces:
        found.append(draws.occurrences(piece, before))
        before = before + np.bincount(piece, minlength=len(counts))
    assert np.concatenate(found).tolist() == whole.tolist()


def test_a_threshold_of_many_rows_walks_in_portions() -> None:
    rows, chosen, state = 2_500_000, 1_234_567, 5
    found = threshold(rows, chosen, state)
    assert (_hashes(rows, state) < np.uint64(found)).sum() == chosen


def test_seeds_pick_other_rows() -> None:
    target, nothing = np.zeros(1000, dtype=np.int64), np.zeros(1, dtype=np.int64)
    first, second = (
        Draws.of(np.asarray([1000]), np.asarray([500]), seed).occurrences(target, nothing) for seed in (0, 1)
    )
    assert 200 < (first & second).sum() < 300

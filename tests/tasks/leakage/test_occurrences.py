from collections import Counter
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.leakage.occurrences import ALL, Occurrences, bound_for, known

parts = st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2)), max_size=30), min_size=1, max_size=6)
# Spread like hashes, and never alike in the upper 62 bits.
SPREAD = 0x9E3779B97F4A7C14


def _of(rows, limit: int, below: int = ALL) -> Occurrences:
    hashes = np.array([value * SPREAD % 2**64 for value, _ in rows], dtype=np.uint64)
    return Occurrences.of(hashes, np.array([code for _, code in rows], dtype=np.uint8), below, limit)


def _merged(pieces, limit: int, below: int = ALL) -> Occurrences:
    return reduce(lambda first, second: first.merge(second, limit), (_of(piece, limit, below) for piece in pieces))


@settings(max_examples=100)
@given(parts, st.integers(1, 45), st.sampled_from([ALL, ALL // 3 & ~3]), st.randoms(use_true_random=False))
def test_parts_merge_in_any_order_to_the_whole(pieces, limit, below, random):
    whole = _of([row for piece in pieces for row in piece], limit, below)
    for _ in range(2):
        random.shuffle(pieces)
        merged = _merged(pieces, limit, below)
        assert merged.below == whole.below
        assert merged.keys.tolist() == whole.keys.tolist()
        assert merged.counts.tolist() == whole.counts.tolist()


@settings(max_examples=50)
@given(parts)
def test_counts_are_exact_where_all_values_are_kept(pieces):
    rows = [row for piece in pieces for row in piece]
    values, counts = _merged(pieces, 100).by_value()
    told = Counter(rows)
    by_hash = {value * SPREAD % 2**64 & ~3: value for value, _ in rows}
    assert {by_hash[int(value)] for value in values} == {value for value, _ in rows}
    for value, row in zip(values, counts, strict=True):
        assert row.tolist() == [told[by_hash[int(value)], code] for code in range(3)]


def test_the_number_of_values_is_estimated():
    random = np.random.default_rng(3)
    hashes = random.integers(0, 2**64, 50_000, dtype=np.uint64)
    found = Occurrences.of(hashes, np.zeros(50_000, dtype=np.uint8), limit=2_000)
    assert not found.complete
    assert found.distinct == pytest.approx(50_000, rel=0.08)
    assert Occurrences.of(hashes[:100], np.zeros(100, dtype=np.uint8)).distinct == 100


def test_of_very_many_rows_few_need_to_be_counted():
    assert bound_for(500_000) == ALL
    assert bound_for(10**8) == pytest.approx(4 * 2**17 * ALL / 10**8)
    random = np.random.default_rng(4)
    hashes = random.integers(0, 2**64, 50_000, dtype=np.uint64)
    found = Occurrences.of(hashes, np.zeros(50_000, dtype=np.uint8), bound_for(50_000, limit=500))
    assert len(found.keys) == pytest.approx(2_000, rel=0.1)
    assert found.distinct == pytest.approx(50_000, rel=0.1)


def test_values_are_known_again_by_their_hashes():
    hashes = np.array([5, 6, 2**63 + 1, 40], dtype=np.uint64)
    values, _ = Occurrences.of(hashes[2:], np.array([0, 2], dtype=np.uint8)).by_value()
    assert known(values, hashes).tolist() == [False, False, True, True]


def test_no_rows_at_all():
    none = Occurrences.of(np.empty(0, np.uint64), np.empty(0, np.uint8))
    assert none.distinct == 0
    assert none.by_value()[1].shape == (0, 3)
    one = _of([(3, 1)], 10)
    assert none.merge(one).keys.tolist() == one.merge(none).keys.tolist() == one.keys.tolist()

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.augmentation.statistics import Spread, rows_before

values = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-1e3, 1e3, width=32))
matrices = arrays(np.float32, st.tuples(st.integers(0, 40), st.just(2)), elements=values)


@settings(max_examples=80, deadline=None)
@given(numeric=matrices, cuts=st.lists(st.integers(0, 40), max_size=4))
def test_merging_gives_what_one_pass_gives(numeric: np.ndarray, cuts: list[int]) -> None:
    whole = Spread.of(numeric)
    pieces = np.split(numeric, sorted(min(cut, len(numeric)) for cut in cuts))
    forth = reduce(Spread.merge, map(Spread.of, pieces))
    back = reduce(Spread.merge, map(Spread.of, reversed(pieces)))
    for merged in (forth, back):
        assert merged.count == len(numeric)
        assert merged.mean == pytest.approx(whole.mean, rel=1e-6, abs=1e-6)
        assert merged.deviation == pytest.approx(whole.deviation, rel=1e-5, abs=1e-3)
        if len(numeric):
            assert merged.low.tolist() == whole.low.tolist()
            assert merged.high.tolist() == whole.high.tolist()
            assert merged.two_valued.tolist() == [len(np.unique(column)) <= 2 for column in numeric.T]


def test_rows_before_are_those_of_the_partitions_ahead() -> None:
    classes = [np.asarray(counts) for counts in ([1, 2], [0, 5], [3, 0])]
    assert [before.tolist() for before in rows_before(classes)] == [[0, 0], [1, 2], [1, 7]]

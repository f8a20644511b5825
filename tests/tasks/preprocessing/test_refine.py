import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.preprocessing.refine import Bracketed, brackets_of, refined
from tasks.preprocessing.sketch import Distribution

PROBABILITIES = [0.001, 0.25, 0.5, 0.75, 0.999]


@given(seed=st.integers(0, 10_000), parts=st.integers(1, 6), rows=st.integers(2, 700), ties=st.booleans())
@settings(max_examples=80, deadline=None)
def test_wanted_quantiles_of_a_sketch_become_exact(seed, parts, rows, ties):
    random = np.random.default_rng(seed)
    pieces = [np.round(random.lognormal(size=rows), 2 if ties else 12) for _ in range(parts)]
    sketch = Distribution.of(pieces[0], max_points=40)
    for piece in pieces[1:]:
        sketch = sketch.merge(Distribution.of(piece, max_points=40), max_points=40)
    brackets = brackets_of(sketch, PROBABILITIES)
    counted = Bracketed.of(pieces[0], brackets)
    for piece in pieces[1:]:
        counted = counted.merge(Bracketed.of(piece, brackets))
    everything = np.concatenate(pieces)
    exact = refined(sketch, brackets, counted, float(everything.max()))
    assert exact.rows == len(everything)
    expected = np.quantile(everything, PROBABILITIES)
    np.testing.assert_allclose(exact.interpolated(PROBABILITIES), expected, rtol=1e-12)
    inverse = np.quantile(everything, PROBABILITIES, method="inverted_cdf")
    np.testing.assert_array_equal(exact.quantiles(PROBABILITIES), inverse)


def test_brackets_hold_few_rows_of_a_large_column():
    values = np.random.default_rng(0).normal(size=200_000)
    sketch = Distribution.of(values)
    assert sketch.error > 0
    inside = Bracketed.of(values, brackets_of(sketch, PROBABILITIES)).inside
    assert sum(each.rows for each in inside) == pytest.approx(0, abs=1_000)

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.calibration.isotonic import MOST_KNOTS, fit_curve
from tasks.preprocessing.scaling import apply_curve


def test_by_hand() -> None:
    odds = np.repeat([-2.0, 0.0, 1.0, 3.0], 100)
    holds = np.concatenate([np.arange(100) < share for share in (10, 40, 20, 90)])
    fitted = fit_curve(odds, holds)
    # The second and third break the order: together 30 of 100 at 0.5.
    np.testing.assert_allclose(fitted.curve.knots, [-2, 0.5, 3])
    np.testing.assert_allclose(fitted.curve.heights, [0.1, 0.3, 0.9])
    assert fitted.thinning_error == 0


def test_a_certain_end_stays_half_a_row_from_certain() -> None:
    odds = np.linspace(-3, 3, 400)
    curve = fit_curve(odds, odds > 0).curve
    assert min(curve.heights) >= 0.5 / 400
    assert max(curve.heights) <= 1 - 0.5 / 400


def test_thousands_of_rows_give_a_short_curve_and_say_what_that_cost() -> None:
    random = np.random.default_rng(0)
    odds = random.normal(size=50_000) * 1.5
    fitted = fit_curve(odds, random.random(50_000) < 1 / (1 + np.exp(-odds)))
    assert len(fitted.curve.knots) <= MOST_KNOTS
    assert 0 < fitted.thinning_error < 0.1
    assert np.abs(apply_curve(fitted.curve, odds) - 1 / (1 + np.exp(-odds))).mean() < 0.01


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), rows=st.integers(60, 600), spread=st.sampled_from([0.01, 1.0, 10.0]))
def test_it_ascends_and_is_never_steep(seed: int, rows: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    odds = np.round(random.normal(size=rows), 2) * spread
    curve = fit_curve(odds, random.random(rows) < 1 / (1 + np.exp(-odds / spread))).curve
    assert (np.diff(curve.knots) > 0).all()
    assert (np.diff(curve.heights) > 0).all()
    slopes = np.diff(curve.heights) / np.diff(curve.knots)
    assert (slopes <= 1.01 * max(1, 1 / odds.std())).all()

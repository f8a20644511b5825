from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.prediction.decision import Decision
from tasks.prediction.predictions import ODDS_LIMIT, decide, log_odds, predictions
from tests.tasks.prediction.cases import BINARY, CASES, COLORS, PRICE, PRICES, TOPICS, curve, scores


@settings(max_examples=40, deadline=None)
@given(data=st.data(), case=st.sampled_from(list(CASES)))
def test_probabilities_are_probabilities_and_quantiles_ascend(data: st.DataObject, case: str) -> None:
    target, decision = CASES[case]
    given_scores = data.draw(scores(target.outputs))
    found = predictions(given_scores, target, decision)
    if found.numbers is not None:
        assert np.isfinite(found.numbers).all()
        assert (np.diff(np.atleast_2d(found.numbers.T).T, axis=1) >= 0).all()
        return
    assert found.probabilities is not None
    assert found.labels is not None
    assert ((found.probabilities >= 0) & (found.probabilities <= 1)).all()
    if target is not TOPICS:
        np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
        assert set(found.labels.tolist()) <= set(range(target.outputs))


@settings(max_examples=20, deadline=None)
@given(found=scores(3), temperature=st.floats(0.1, 100))
def test_temperature_never_changes_the_order(found: np.ndarray, temperature: float) -> None:
    cooled = predictions(found, COLORS, Decision(temperature=temperature)).probabilities
    assert cooled is not None
    ascending = np.take_along_axis(cooled, np.argsort(found, axis=1), axis=1)
    assert (np.diff(ascending, axis=1) >= 0).all()


def test_by_hand() -> None:
    rows = np.array([[0.0, np.log(3)], [0.0, -np.log(3)]])
    plain = predictions(rows, BINARY, Decision())
    np.testing.assert_allclose(plain.probabilities, [[0.25, 0.75], [0.75, 0.25]])
    assert plain.labels.tolist() == [1, 0]
    assert predictions(rows, BINARY, Decision(thresholds=(0.2,))).labels.tolist() == [1, 1]
    hotter = predictions(rows * 2, BINARY, Decision(temperature=2))
    np.testing.assert_allclose(hotter.probabilities, plain.probabilities)
    several = predictions(np.array([[0.0, np.log(3), -np.log(3)]]), TOPICS, Decision(thresholds=(0.5, 0.8, 0.2)))
    np.testing.assert_allclose(several.probabilities, [[0.5, 0.75, 0.25]])
    assert several.labels.tolist() == [[True, False, True]]
    assert predictions(np.array([[2.0]]), PRICE, Decision()).numbers.tolist() == [187.0]
    crossed = np.array([[1.0, 0.0, -1.0]])
    np.testing.assert_allclose(predictions(crossed, PRICES, Decision()).numbers, [[87.25, 120.5, 153.75]])
    shifted = predictions(crossed, PRICES, Decision(shifts=(2.0, 0.0, 1.0)))
    np.testing.assert_allclose(shifted.numbers, [[120.5, 153.75, 187.0]])


def test_a_tie_goes_to_the_first_class_and_a_threshold_is_reached_by_its_equal() -> None:
    tie = np.zeros((1, 2))
    assert predictions(tie, BINARY, Decision()).labels.tolist() == [0]
    assert predictions(tie, BINARY, Decision(thresholds=(0.5,))).labels.tolist() == [1]
    assert predictions(np.zeros((1, 3)), TOPICS, Decision()).labels.all()


@pytest.mark.parametrize("nudge", [-1e-12, 0.0, 1e-12])
def test_what_float32_cannot_tell_apart_is_decided_alike(nudge: float) -> None:
    assert decide(np.array([[0.7, 0.3 + nudge]]), BINARY, Decision(thresholds=(0.3,))).tolist() == [1]
    assert decide(np.array([[0.5 - nudge, 0.5 + nudge]]), BINARY, Decision()).tolist() == [0]


def test_curves_are_of_each_class_against_the_rest() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 3))
    plain = predictions(rows, COLORS, Decision()).probabilities
    assert plain is not None
    np.testing.assert_allclose(log_odds(rows, COLORS), np.log(plain / (1 - plain)))
    calibrated = predictions(rows, COLORS, Decision(curves=(curve(0),) * 3)).probabilities
    heights = np.interp(log_odds(rows, COLORS), curve(0).knots, curve(0).heights)
    np.testing.assert_allclose(calibrated, heights / heights.sum(axis=1, keepdims=True))
    two = predictions(rows[:, :2], BINARY, Decision(curves=(curve(0),))).probabilities
    odds = rows[:, 1] - rows[:, 0]
    np.testing.assert_allclose(two[:, 1], np.interp(odds, curve(0).knots, curve(0).heights))


def test_log_odds_are_finite_where_a_probability_is_one() -> None:
    assert np.abs(log_odds(np.array([[1e30, 0.0, -1e30]]), COLORS)).tolist() == [[ODDS_LIMIT] * 3]

"""Rules on ten rows that can be counted by hand.

probability  .9  .8  .7  .6  .5  .4  .3  .2  .1  .0
positive      1   1   0   1   1   0   0   1   0   0
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tasks.calibration.rules import ThresholdRule, outcomes_of
from tasks.calibration.thresholds import Chosen, choose_thresholds
from tasks.errors import ConfigError

PROBABILITY = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
HOLDS = np.array([1, 1, 0, 1, 1, 0, 0, 1, 0, 0], bool)


def choose(probability: np.ndarray = PROBABILITY, holds: np.ndarray = HOLDS, **rule: Any) -> Chosen:
    parsed: Any = TypeAdapter(ThresholdRule).validate_python(rule)
    (chosen,) = choose_thresholds(probability[:, None], holds[:, None], ["late"], parsed)
    return chosen


@pytest.mark.parametrize(
    ("rule", "called"),
    [
        ({"rule": "f1"}, 5),  # 4 of 5 right, 4 of 5 found: 0.8
        ({"rule": "youden"}, 5),  # 4/5 - 1/5
        ({"rule": "recall_at", "recall": 0.8}, 5),
        ({"rule": "recall_at", "recall": 1.0}, 8),
        ({"rule": "precision_at", "precision": 1.0}, 2),
        ({"rule": "precision_at", "precision": 0.75}, 5),
        ({"rule": "cost", "false_positive": 1, "false_negative": 1}, 5),  # 1 alarm and 1 missed
        ({"rule": "cost", "false_positive": 1, "false_negative": 5}, 8),  # 3 alarms beat 1 alarm and 1 missed
        ({"rule": "cost", "false_positive": 5, "false_negative": 1}, 2),  # 3 missed
        ({"rule": "fixed", "value": 0.65}, 3),
        ({"rule": "fixed", "value": 0.6}, 4),
        ({"rule": "fixed", "value": 1.0}, 0),
    ],
)
def test_counted_by_hand(rule: dict[str, Any], called: int) -> None:
    chosen = choose(**rule)
    right = int(HOLDS[:called].sum())
    assert chosen.called == called
    assert chosen.precision == pytest.approx(right / max(called, 1))
    assert chosen.recall == pytest.approx(right / 5)
    assert chosen.f1 == pytest.approx(2 * right / (called + 5))
    assert chosen.false_positive_rate == pytest.approx((called - right) / 5)
    assert (np.float32(chosen.threshold) <= PROBABILITY.astype(np.float32)).sum() == called


def test_a_threshold_lies_between_the_probabilities_that_it_parts() -> None:
    assert choose(rule="f1").threshold == pytest.approx(0.45)


def test_nothing_may_be_worth_calling() -> None:
    chosen = choose(rule="cost", false_positive=1, false_negative=0.1, holds=HOLDS & (PROBABILITY < 0.3))
    assert chosen.called == 0
    assert 0.9 < chosen.threshold < 1


def test_a_precision_out_of_reach_says_the_best() -> None:
    holds = HOLDS.copy()
    holds[0] = False
    with pytest.raises(ConfigError) as caught:
        choose(holds=holds, rule="precision_at", precision=0.9)
    assert "reaches precision 0.9" in str(caught.value)
    assert "the best is 0.6, with recall 0.75" in str(caught.value)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.3, 0.3000001, 1.0]) | st.floats(0, 1), st.booleans())).map(
        lambda found: [*found, (0.4, True), (0.6, False)]
    )
)
def test_what_is_counted_is_what_each_threshold_gives(rows: list[tuple[float, bool]]) -> None:
    probability = np.array([each for each, _ in rows])
    holds = np.array([each for _, each in rows])
    outcomes = outcomes_of(probability, holds)
    called = probability.astype(np.float32)[None] >= outcomes.thresholds.astype(np.float32)[:, None]
    np.testing.assert_array_equal((called & holds).sum(axis=1), outcomes.hits)
    np.testing.assert_array_equal((called & ~holds).sum(axis=1), outcomes.alarms)
    assert called[-1].all()
    assert (np.diff(outcomes.thresholds) < 0).all()
    assert ((outcomes.thresholds >= 0) & (outcomes.thresholds <= 1)).all()

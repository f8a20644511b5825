from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.metrics import bootstrap
from tasks.metrics.bootstrap import Resampling, differences, draws, intervals
from tasks.metrics.classification import class_measures
from tasks.metrics.numbers import number_measures
from tasks.metrics.weighted import Measure, values, weighted_mean


def _mean(each: np.ndarray) -> tuple[Measure]:
    return (Measure(("mean",), lambda weights: {"mean": weighted_mean(weights, each)}),)


def _classes(noise: float, rows: int = 400, seed: int = 0) -> tuple[Measure, ...]:
    """Return a model of the same rows whatever the noise: more of it is worse."""
    random = np.random.default_rng(seed)
    target = random.integers(0, 2, rows)
    score = 1 / (1 + np.exp(-(2.0 * target - 1 + noise * random.normal(size=rows))))
    return class_measures(target, np.stack([1 - score, score], axis=1), (score > 0.5).astype(np.int64))


def test_an_interval_of_a_mean_has_the_width_that_theory_gives() -> None:
    each = np.random.default_rng(0).normal(size=900)
    low, high = intervals(_mean(each), 900, Resampling(2000, 0.95))["mean"]
    assert (high - low) / 2 == pytest.approx(1.96 * each.std() / 30, rel=0.08)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(20, 80), seed=st.integers(0, 1000))
def test_a_symmetric_interval_holds_the_estimate(rows: int, seed: int) -> None:
    half = np.random.default_rng(seed).exponential(size=rows)
    each = np.concatenate([half, -half])
    low, high = intervals(_mean(each), 2 * rows, Resampling(200, 0.95, seed=seed))["mean"]
    assert low <= 0.0 <= high


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), confidence=st.floats(0.5, 0.9))
def test_the_same_seed_gives_the_same_interval_and_more_confidence_a_wider_one(seed: int, confidence: float) -> None:
    measures = _classes(1.0, 60)
    first = intervals(measures, 60, Resampling(50, confidence, seed))
    assert first == intervals(measures, 60, Resampling(50, confidence, seed))
    wider = intervals(measures, 60, Resampling(50, 0.99, seed))
    assert all(wider[name][0] <= low <= high <= wider[name][1] for name, (low, high) in first.items())


def test_the_draws_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(draws(100, Resampling(30, 0.9, seed=5))))
    monkeypatch.setattr(bootstrap, "_BLOCK", 700)
    blocks = list(draws(100, Resampling(30, 0.9, seed=5)))
    assert len(blocks) == 5
    assert np.array_equal(np.concatenate(blocks), whole)
    assert (whole.sum(axis=1) == 100).all()


def test_groups_are_drawn_whole_and_make_intervals_wider() -> None:
    random = np.random.default_rng(2)
    groups = np.repeat(np.arange(20), 30)
    each = random.normal(size=20)[groups] + 0.1 * random.normal(size=600)
    grouped = Resampling(200, 0.95, groups=groups)
    for weights in draws(600, grouped):
        assert all(len(set(one[groups == group])) == 1 for one in weights for group in range(20))
    alone, together = (intervals(_mean(each), 600, how)["mean"] for how in (Resampling(200, 0.95), grouped))
    assert together[1] - together[0] > 3 * (alone[1] - alone[0])


def test_no_resamples_no_intervals() -> None:
    assert intervals(_classes(1.0), 400, Resampling(0, 0.95)) == {}


@pytest.mark.parametrize(("rows", "groups"), [(1, None), (80, np.zeros(80, np.int64))])
def test_draws_that_are_all_the_same_promise_nothing(rows: int, groups: np.ndarray | None) -> None:
    how = Resampling(50, 0.9, groups=groups)
    each = np.arange(float(rows)) + 1
    assert intervals(_mean(each), rows, how) == {}
    found = differences(_mean(each), _mean(2 * each), rows, how)["mean"]
    assert (found.gain, found.interval) == (each.mean(), None)


def test_a_metric_that_most_draws_leave_undefined_has_no_interval() -> None:
    target = np.array([0] * 60 + [1])
    half = np.full((61, 2), 0.5)
    measures = class_measures(target, half, np.zeros(61, dtype=np.int64))
    assert "roc_auc" in intervals(measures, 61, Resampling(200, 0.9))
    alone = class_measures(target[:60], half[:60], np.zeros(60, dtype=np.int64))
    assert "roc_auc" not in intervals(alone, 60, Resampling(200, 0.9))


def test_an_equal_model_gains_nothing() -> None:
    found = differences(_classes(1.0), _classes(1.0), 400, Resampling(100, 0.9))
    assert all((each.gain, each.interval) == (0.0, (0.0, 0.0)) for each in found.values())


def test_two_models_that_are_as_good_have_an_interval_around_nothing() -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=500)
    first, second = (number_measures(truth, truth + random.normal(size=500)) for _ in range(2))
    low, high = differences(first, second, 500, Resampling(200, 0.95))["rmse"].interval or (1.0, 1.0)
    assert low < 0.0 < high


@pytest.mark.parametrize("name", ["roc_auc", "accuracy", "log_loss", "brier"])
def test_a_better_model_is_seen_as_better_whatever_the_direction(name: str) -> None:
    found = differences(_classes(3.0), _classes(1.0), 400, Resampling(100, 0.9), {name})
    assert set(found) == {name}
    assert found[name].gain > 0
    assert found[name].interval is not None
    assert found[name].interval[0] > 0
    worse = differences(_classes(1.0), _classes(3.0), 400, Resampling(100, 0.9), {name})[name]
    assert worse.gain == -found[name].gain
    assert worse.interval == pytest.approx(tuple(-end for end in reversed(found[name].interval)))


def test_pairs_are_surer_than_two_models_apart() -> None:
    truth = np.random.default_rng(3).normal(size=300)
    hard = 5.0 * np.random.default_rng(4).normal(size=300)
    first, second = number_measures(truth, truth + hard), number_measures(truth, truth + 0.95 * hard)
    gain = differences(first, second, 300, Resampling(200, 0.9))["rmse"]
    apart = intervals(first, 300, Resampling(200, 0.9))["rmse"]
    assert gain.interval is not None
    assert gain.interval[0] > 0
    assert apart[0] < values(second, 300)["rmse"] < apart[1]

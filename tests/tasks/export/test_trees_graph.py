from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.export.scores import export_scores
from tasks.models.tree_arrays import LEAF, from_lightgbm
from tasks.models.trees import TreesPredictor


def _grown(objective: str, seed: int, rounds: int = 1, **options: Any) -> TreesPredictor:
    random = np.random.default_rng(seed)
    # Few distinct values and wide ones: thresholds fall between neighbouring floats, on zero, and far out.
    columns = [random.choice(random.normal(size=6) * scale, 120) for scale in (1e-30, 1.0, 1e7)]
    table = np.stack([*columns, random.integers(0, 9, 120)], axis=1).astype(np.float32)
    target = random.integers(0, options.get("num_class", 2), 120)
    settings = {"objective": objective, "min_data_in_leaf": 1, "verbosity": -1, "num_threads": 1, "use_missing": False}
    data = lightgbm.Dataset(table, target, params={**settings, **options, "min_data_in_bin": 1})
    booster = lightgbm.train({**settings, **options}, data, rounds)
    classes = options.get("num_class", 1)
    grown = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    trees = from_lightgbm((index % classes + (classes == 1), tree) for index, tree in enumerate(grown))
    predictor = TreesPredictor(trees, features=4, outputs=max(classes, 2))
    own = np.asarray(booster.predict(table, raw_score=True)).reshape(120, -1)
    scores = predictor.scores(table, np.zeros((120, 0), np.int64))
    np.testing.assert_allclose(scores[:, -classes:], own, rtol=1e-12, atol=1e-12)
    return predictor


def _around_thresholds(predictor: TreesPredictor) -> np.ndarray:
    """Return rows that hold every threshold, rounded, and the floats on both of its sides."""
    near = predictor.trees.threshold[predictor.trees.feature != LEAF].astype(np.float32)
    values = np.unique(np.concatenate([near, *(np.nextafter(near, np.float32(end)) for end in (-np.inf, np.inf)), [0]]))
    random = np.random.default_rng(0)
    return np.concatenate([np.tile(values[:, None], 4), random.choice(values, (200, 4))]).astype(np.float32)


def _served(predictor: TreesPredictor, numeric: np.ndarray, categorical: np.ndarray) -> np.ndarray:
    model = export_scores(predictor, numeric.shape[1], categorical.shape[1])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (scores,) = session.run(["logits"], {"numeric": numeric, "categorical": categorical})
    return np.asarray(scores)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), leaves=st.integers(2, 40))
def test_one_tree_gives_the_same_leaf_at_and_around_every_threshold(seed: int, leaves: int) -> None:
    predictor = _grown("binary", seed, num_leaves=leaves)
    rows = _around_thresholds(predictor)
    no_codes = np.zeros((len(rows), 0), np.int64)
    served = _served(predictor, rows, no_codes)
    np.testing.assert_array_equal(served, predictor.scores(rows, no_codes).astype(np.float32))
    assert len(np.unique(served[:, 1])) > 1


@pytest.mark.parametrize("options", [{"objective": "binary"}, {"objective": "multiclass", "num_class": 3}])
def test_many_trees_sum_to_the_same(options: dict[str, Any]) -> None:
    predictor = _grown(seed=1, rounds=40, num_leaves=31, **options)
    rows = _around_thresholds(predictor)
    numeric, categorical = rows[:, :3], np.clip(rows[:, 3:], 0, 8).astype(np.int64)
    expected = predictor.scores(numeric, categorical)
    for part in (slice(0, 1), slice(0, len(rows))):
        served = _served(predictor, numeric[part], categorical[part])
        np.testing.assert_allclose(served, expected[part], rtol=2e-7, atol=2e-7)


def test_codes_alone_are_enough() -> None:
    predictor = _grown("binary", 2)
    codes = np.tile(np.arange(9)[:, None], 4)
    no_numbers = np.zeros((9, 0), np.float32)
    served = _served(predictor, no_numbers, codes)
    np.testing.assert_array_equal(served, predictor.scores(no_numbers, codes).astype(np.float32))


def test_two_exports_are_the_same_bytes() -> None:
    first, second = (export_scores(_grown("binary", 3), 3, 1).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second

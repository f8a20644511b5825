from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError

from tasks.errors import IntegrityError
from tasks.models.tree_arrays import Trees, from_lightgbm, read_trees
from tasks.models.trees import TreesPredictor


def _leaf(value: float) -> dict[str, Any]:
    return {"leaf_value": value}


def _split(feature: int, threshold: float, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {
        "split_feature": feature,
        "threshold": threshold,
        "decision_type": "<=",
        "left_child": left,
        "right_child": right,
    }


DEEP = _split(0, 0.5, _split(1, -1.0, _leaf(1.0), _leaf(2.0)), _split(1, 3.0, _leaf(3.0), _leaf(4.0)))
# One score has two trees, one of them a lone leaf; one has none.
TREES = from_lightgbm([(0, DEEP), (2, _split(1, 0.0, _leaf(-10.0), _leaf(10.0))), (0, _leaf(0.25))])


def test_every_row_finds_its_leaves() -> None:
    predictor = TreesPredictor(TREES, features=2, outputs=3)
    rows = np.array([[0.5, -1.0], [0.5, -0.5], [0.6, 3.0], [0.6, 3.1]], np.float32)
    scores = predictor.scores(rows, np.zeros((4, 0), np.int64))
    np.testing.assert_array_equal(scores[:, 0], [1.25, 2.25, 3.25, 4.25])
    np.testing.assert_array_equal(scores[:, 1], 0.0)
    np.testing.assert_array_equal(scores[:, 2], [-10.0, -10.0, 10.0, 10.0])


def test_codes_are_read_behind_the_numbers() -> None:
    predictor = TreesPredictor(TREES, features=2, outputs=3)
    scores = predictor.scores(np.array([[0.0], [0.0]], np.float32), np.array([[0], [4]]))
    np.testing.assert_array_equal(scores[:, 2], [-10.0, 10.0])


def test_a_file_gives_back_the_trees() -> None:
    read = read_trees(TREES.file(), 2, 3)
    assert read.file() == TREES.file()
    assert TREES.start.tolist() == [0, 7, 10, 11]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"left": TREES.left - 1}, "a child does not stand behind its parent"),
        ({"right": TREES.right + 7}, "a child does not stand behind its parent"),
        ({"left": np.zeros(11, np.int32)}, "a child does not stand behind its parent"),
        ({"feature": np.full(11, 2, np.int32)}, "a node compares none of the 2 features"),
        ({"feature": np.full(11, -2, np.int32)}, "a node compares none of the 2 features"),
        ({"output": TREES.output + 1}, "a tree counts for none of the 3 scores"),
        ({"start": TREES.start[:-1]}, "the starts do not cut the nodes"),
        ({"start": np.array([0, 7, 7, 11])}, "the starts do not cut the nodes"),
        ({"threshold": TREES.threshold * np.nan}, "a threshold or a leaf is not finite"),
        ({"value": TREES.value[:-1]}, "the arrays of the nodes differ in length"),
        ({"value": TREES.value.astype(np.float32)}, "each of its type and with one dimension"),
        ({"value": TREES.value[None]}, "each of its type and with one dimension"),
    ],
)
def test_trees_in_which_a_row_would_be_lost_are_refused(changes: dict[str, Any], message: str) -> None:
    broken: Trees = replace(TREES, **changes)
    with pytest.raises(IntegrityError, match=message):
        read_trees(broken.file(), 2, 3)


def test_a_torn_file_is_no_file_of_trees() -> None:
    with pytest.raises(SafetensorError):
        read_trees(TREES.file()[:-3], 2, 3)

"""Gradient-boosted trees: their settings, and how they score."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from tasks.models.predictor import Floats, Predictor
from tasks.models.tree_arrays import LEAF, Trees

if TYPE_CHECKING:
    import lightgbm

TREES = "trees.safetensors"

PositiveShare = Annotated[float, Field(gt=0.0, le=1.0)]


class TreesConfig(BaseModel):
    """`model: {name: trees, ...}`: gradient-boosted trees, grown by LightGBM (Ke et al., NeurIPS 2017).

    Attributes:
        rounds: The most there will be; each adds a tree, or one for each class of more than two.
        learning_rate: What share of a tree's correction is taken.
        leaves: Most leaves of a tree.
        min_rows: Fewest training rows of a leaf.
        feature_share: Share of the features that a tree may use, drawn anew for each.
        row_share: Share of the rows that a tree is grown on, drawn anew for each.
        l2: Penalty on the squared leaf values.
        patience: Growing stops after this many rounds without a gain on the validation split.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["trees"] = "trees"
    rounds: PositiveInt = 1000
    learning_rate: PositiveFloat = 0.05
    leaves: Annotated[int, Field(ge=2, le=4096)] = 31
    min_rows: PositiveInt = 20
    feature_share: PositiveShare = 1.0
    row_share: PositiveShare = 1.0
    l2: NonNegativeFloat = 0.0
    patience: PositiveInt = 100


class TreesPredictor(Predictor):
    """Trees whose values add up to scores; LightGBM walks them, on as many threads as torch may use."""

    def __init__(self, trees: Trees, *, features: int, outputs: int) -> None:
        """Take the trees.

        Args:
            trees: Of two classes, all count for the second, whose score is then the log odds; the first one's is 0.
            features: D + K, numbers and codes.
            outputs: Scores of a record.
        """
        self.trees = trees
        self.outputs = outputs
        self._boosters = {int(place): _booster(trees, int(place), features) for place in np.unique(trees.output)}

    def scores(self, *inputs: NDArray[Any]) -> Floats:
        """Score records."""
        table = feature_table(*inputs)
        scores = np.zeros((len(table), self.outputs))
        for place, booster in self._boosters.items():
            scores[:, place] = booster.predict(table, raw_score=True, num_threads=torch.get_num_threads())
        return scores

    def contributions(self, background: NDArray[Any], table: NDArray[Any]) -> Floats:
        """Split every score among the features, by TreeSHAP (Lundberg, Erion and Lee, 2018) as LightGBM computes it.

        What a tree says where a feature is not known is the mean over its branches, by how many rows of the background
        take each. Every leaf counts for one row more, so that none is out of reach.

        Args:
            background: Rows to compare with, as `feature_table` gives them, float32 `[B, D + K]`.
            table: Rows to explain, float32 `[N, D + K]`.

        Returns:
            float64 `[N, D + K + 1, O]`; the last of a row is what the trees say where no feature is known, and together
            they add up to the row's score.
        """
        found = np.zeros((len(table), table.shape[1] + 1, self.outputs))
        for place, booster in self._boosters.items():
            taken = np.asarray(booster.predict(background, pred_leaf=True, num_threads=1)).reshape(len(background), -1)
            counted = _booster(self.trees, place, table.shape[1], taken)
            found[:, :, place] = counted.predict(table, pred_contrib=True, num_threads=1)
        return found


def feature_table(*inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Return what the trees read, float32 `[N, D + K]`: the numbers, then the codes as ordinary numbers.

    Codes are ordered by how often a category occurs in training. Splits on that order did better on the held-out days
    of the flights than LightGBM's own splits by sets of categories (benchmarks/training/README.md).
    """
    return np.concatenate([each.astype(np.float32) for each in inputs], axis=1)


def _booster(trees: Trees, output: int, features: int, taken: NDArray[np.int32] | None = None) -> lightgbm.Booster:
    """Return a booster of one score's trees, made from LightGBM's text format.

    The text is written here, from checked arrays: LightGBM crashes on a text that does not hold what it promises.

    Args:
        trees: All trees.
        output: The score.
        features: How many there are.
        taken: The leaf that each of `B` rows takes in each of the score's trees, `[B, T]`, for counts of rows.
    """
    import lightgbm  # noqa: PLC0415 - a network's checkpoint needs none of it

    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={features - 1}",
        f"feature_names={' '.join(f'f{index}' for index in range(features))}",
        f"feature_infos={' '.join(['none'] * features)}",
        "",
    ]
    texts = [
        _text(trees, int(index), None if taken is None else taken[:, number])
        for number, index in enumerate(np.flatnonzero(trees.output == output))
    ]
    body = [f"Tree={number}\n{text}\n" for number, text in enumerate(texts)]
    return lightgbm.Booster(model_str="\n".join([*head, *body, "end of trees", ""]))


def _text(trees: Trees, index: int, taken: NDArray[np.int32] | None) -> str:
    nodes = trees.tree(index)
    split = trees.feature[nodes] != LEAF
    # LightGBM counts splits and leaves apart, and writes leaf number 3 as ~3.
    number = np.where(split, np.cumsum(split) - 1, ~(np.cumsum(~split) - 1))
    lines: dict[str, Iterable[float]] = {"leaf_value": trees.value[nodes][~split].tolist()}
    if split.any():
        lines |= {
            "split_feature": trees.feature[nodes][split].tolist(),
            "threshold": trees.threshold[nodes][split].tolist(),
            # Smaller or equal, and nothing is missing.
            "decision_type": [0] * int(split.sum()),
            "left_child": number[trees.left[nodes][split]].tolist(),
            "right_child": number[trees.right[nodes][split]].tolist(),
        }
    if taken is not None:
        lines |= _counts(trees, index, taken)
    said = [f"{name}={' '.join(map(repr, values))}" for name, values in lines.items()]
    return "\n".join([f"num_leaves={int((~split).sum())}", "num_cat=0", *said, "is_linear=0", "shrinkage=1", ""])


def _counts(trees: Trees, index: int, taken: NDArray[np.int32]) -> dict[str, Iterable[float]]:
    """Count the rows that reach each node of a tree; children stand behind their parents."""
    nodes = trees.tree(index)
    split = trees.feature[nodes] != LEAF
    rows = np.zeros(len(split), np.int64)
    rows[~split] = 1 + np.bincount(taken, minlength=int((~split).sum()))
    left, right = trees.left[nodes], trees.right[nodes]
    for node in np.flatnonzero(split)[::-1]:
        rows[node] = rows[left[node]] + rows[right[node]]
    inner = {"internal_count": rows[split].tolist()} if split.any() else {}
    return {"leaf_count": rows[~split].tolist(), **inner}

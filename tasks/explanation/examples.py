"""Single rows, explained by the method that fits the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.explanation.columns import ColumnFeatures, Floats, Inputs, by_column
from tasks.explanation.gradients import integrated_gradients
from tasks.explanation.shapley import sampled_shapley
from tasks.models.predictor import NetworkPredictor, Predictor
from tasks.models.trees import TreesPredictor, feature_table
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Target

Method = Literal["integrated gradients", "TreeSHAP", "sampled Shapley values"]


@dataclass(frozen=True)
class Explained:
    """Scores of N rows, split among C columns.

    Attributes:
        method: How they were split.
        base: The score of what is usual, float64 `[N]`.
        columns: What each column adds to it, float64 `[N, C]`.
    """

    method: Method
    base: Floats
    columns: Floats


def explain_rows(
    predictor: Predictor,
    background: Inputs,
    rows: Inputs,
    weights: Floats,
    columns: Sequence[ColumnFeatures],
    seed: int,
) -> Explained:
    """Split the scores of rows among the raw columns.

    Trees have TreeSHAP, networks integrated gradients. Blends, and networks whose categories do not come through
    embeddings, have sampled Shapley values.

    Args:
        predictor: The model.
        background: Rows that stand for what is usual.
        rows: Rows to explain.
        weights: float64 `[N, O]`; the score explained is the sum of a row's scores by these weights.
        columns: Raw columns with their features.
        seed: Of what is sampled.
    """
    numbers = rows[0].shape[1]
    if isinstance(predictor, TreesPredictor):
        split = predictor.contributions(feature_table(*background), feature_table(*rows))
        shares = np.einsum("nfo,no->nf", split, weights)
        return Explained("TreeSHAP", shares[:, -1], by_column(shares[:, :-1], columns, numbers))
    if isinstance(predictor, NetworkPredictor):
        found = integrated_gradients(predictor.network, background, rows, weights)
        if found is not None:
            return Explained("integrated gradients", found[:, 0], by_column(found[:, 1:], columns, numbers))
    found = sampled_shapley(predictor, background, rows, weights, columns, seed)
    return Explained("sampled Shapley values", found[:, 0], found[:, 1:])


def chosen_rows(losses: Floats, count: int, random: np.random.Generator) -> list[tuple[int, str]]:
    """Choose rows to explain: half of them, rounded up, with the greatest loss, then others at random.

    Returns:
        Position and why it was chosen.
    """
    order = np.argsort(-losses, kind="stable")
    worst = order[: (min(count, len(losses)) + 1) // 2]
    others = np.sort(order[len(worst) :])
    drawn = np.sort(random.choice(others, min(count - len(worst), len(others)), replace=False))
    return [(int(row), "greatest loss") for row in worst] + [(int(row), "random") for row in drawn]


def score_weights(target: Target, truth: NDArray[Any], scores: Floats) -> tuple[Floats, list[str]]:
    """Return which score of each row is explained.

    Of two classes it is the log odds of the second, of more the score of the predicted class above the mean of all, of
    labels the log odds of the one that is furthest from the truth, of numbers the number, of quantiles the middle one.

    Args:
        target: What is predicted.
        truth: As for `tasks.metrics.measures.measures_of`.
        scores: float64 `[N, O]`.

    Returns:
        float64 `[N, O]`, and the score's name for each row.
    """
    rows, outputs = scores.shape
    if isinstance(target, ClassTarget):
        if target.problem == "binary":
            return np.tile([-1.0, 1.0], (rows, 1)), [f"log odds of {target.classes[1]}"] * rows
        chosen = scores.argmax(axis=1)
        names = [f"score of {target.classes[place]} above the mean of all classes" for place in chosen]
        return np.eye(outputs)[chosen] - 1 / outputs, names
    if isinstance(target, LabelsTarget):
        chosen = np.where(truth, -scores, scores).argmax(axis=1)
        return np.eye(outputs)[chosen], [f"log odds of {target.labels[place]}" for place in chosen]
    middle = outputs // 2
    name = f"quantile {target.quantiles[middle]:g} of {target.column}" if target.quantiles else target.column
    return np.tile(np.eye(outputs)[middle] * target.spread, (rows, 1)), [name] * rows

"""Shapley values of any model, by sampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.explanation.columns import ColumnFeatures, Floats, Inputs
from tasks.models.predictor import Predictor

# Orders of the columns for each row; each comes once forwards and once backwards. Many columns have fewer orders, so
# that a row takes about so many steps at most.
_ORDERS = 64
_STEPS = 1 << 16
# Values scored at a time, numbers and codes.
_VALUES_AT_ONCE = 1 << 24


def sampled_shapley(
    predictor: Predictor,
    background: Inputs,
    rows: Inputs,
    weights: Floats,
    columns: Sequence[ColumnFeatures],
    seed: int,
) -> Floats:
    """Split the difference of scores between rows and the background among the columns.

    After Strumbelj and Kononenko, "Explaining prediction models and individual predictions with feature contributions"
    (2014): a row of the background becomes the row, column by column in random order, and each column gets what the
    score changes by. The changes of an order add up, so their means do too, exactly.

    Args:
        predictor: The model.
        background: Rows that stand for what is usual; each order begins with a random one of them.
        rows: Rows to explain.
        weights: float64 `[N, O]`; the score explained is the sum of a row's scores by these weights.
        columns: Raw columns with their features.
        seed: Of the orders.

    Returns:
        float64 `[N, 1 + C]`: the mean score of the background rows that were drawn, then what each column gets.
    """
    found = []
    length = len(columns) + 1
    pairs = min(_ORDERS, max(4, _STEPS // length)) // 2
    at_once = max(1, _VALUES_AT_ONCE // (length * sum(each.shape[1] for each in rows)))
    for place in range(len(rows[0])):
        random = np.random.default_rng([seed, place])
        half = [random.permutation(len(columns)) for _ in range(pairs)]
        orders = [order for each in half for order in (each, each[::-1])]
        # An order and its reverse begin alike, so that they balance each other.
        starts = np.repeat(random.integers(0, len(background[0]), len(half)), 2)
        walks = [(int(start), [columns[at] for at in order]) for start, order in zip(starts, orders, strict=True)]
        scored = []
        for first in range(0, len(walks), at_once):
            steps = [_steps(background, start, rows, place, order) for start, order in walks[first : first + at_once]]
            inputs = tuple(np.concatenate([each[part] for each in steps]) for part in range(2))
            scored.append(predictor.scores(*inputs) @ weights[place])
        scores = np.concatenate(scored).reshape(len(orders), length)
        changes = np.zeros((len(orders), len(columns)))
        for order, into, line in zip(orders, changes, scores, strict=True):
            into[order] = np.diff(line)
        found.append(np.append(scores[:, 0].mean(), changes.mean(axis=0)))
    return np.stack(found)


def _steps(background: Inputs, start: int, rows: Inputs, place: int, order: Sequence[ColumnFeatures]) -> Inputs:
    """Return a background row on its way to the row, float32 `[C + 1, D]` and int64 `[C + 1, K]`."""
    numeric, categorical = (np.repeat(each[start : start + 1], len(order) + 1, axis=0) for each in background)
    for step, column in enumerate(order, start=1):
        numeric[step:, column.numeric] = rows[0][place, column.numeric]
        categorical[step:, column.categorical] = rows[1][place, column.categorical]
    return numeric, categorical

"""Permutation importance: how much worse a model gets where a column says nothing.

After Breiman, "Random Forests" (2001), and Fisher, Rudin and Dominici, "All Models are Wrong, but Many are Useful"
(JMLR 2019). All features of a raw column are permuted together. Of two columns that say the same, each seems to matter
little, for the other still says it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.errors import DataError
from tasks.explanation.columns import ColumnFeatures, Floats, Inputs
from tasks.metrics.measures import measures_of
from tasks.metrics.table import direction
from tasks.metrics.weighted import measured
from tasks.models.predictor import Predictor
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import predictions
from tasks.preprocessing.targets import Target


@dataclass(frozen=True)
class Judge:
    """What a model's scores are measured by.

    Attributes:
        target: What is predicted.
        decision: Calibration and thresholds.
        metric: The metric's name.
    """

    target: Target
    decision: Decision
    metric: str

    def value(self, truth: NDArray[Any], scores: Floats) -> float:
        """Return the metric of scores.

        Raises:
            DataError: It is undefined for these rows.
        """
        measures = measures_of(self.target, truth, predictions(scores, self.target, self.decision))
        value = float(measured(measures, np.ones((1, len(truth))), [self.metric])[self.metric][0])
        if not np.isfinite(value):
            raise DataError(
                f"explain.importance.metric: `{self.metric}` is undefined for the {len(truth)} rows that were chosen\n"
                "  do: take another metric, or more rows"
            )
        return value


@dataclass(frozen=True)
class Importance:
    """By how much the metric gets worse.

    Attributes:
        column: The raw column.
        mean: Over the repeats; negative where the metric got better, as by chance it may.
        deviation: Over the repeats.
    """

    column: str
    mean: float
    deviation: float


def importances(
    predictor: Predictor,
    inputs: Inputs,
    truth: NDArray[Any],
    columns: Sequence[ColumnFeatures],
    judge: Judge,
    draws: Sequence[NDArray[np.int64]],
) -> tuple[float, list[Importance]]:
    """Permute one column after another.

    Args:
        predictor: The model.
        inputs: Of N rows.
        truth: What is true of them, as for `tasks.metrics.measures.measures_of`.
        columns: What to permute.
        judge: What must get worse.
        draws: A permutation of the N rows for each repeat, the same for every column.

    Returns:
        The metric of the rows as they are, and every column's importance, the greatest first.
    """
    whole = judge.value(truth, predictor.scores(*inputs))
    sign = -direction(judge.metric)
    found = []
    for column, scores in _permuted(predictor, inputs, columns, draws):
        worse = sign * (np.array([judge.value(truth, each) for each in scores]) - whole)
        found.append(Importance(column.column, float(worse.mean()), float(worse.std(ddof=1))))
    return whole, sorted(found, key=lambda each: -each.mean)


def most_moving(
    predictor: Predictor, inputs: Inputs, columns: Sequence[ColumnFeatures], most: int, draw: NDArray[np.int64]
) -> list[ColumnFeatures]:
    """Return the columns worth a closer look: those whose permutation moves the scores the most.

    A look at how far scores move asks for no truth, so that few rows tell more than they do of a metric.

    Args:
        predictor: The model.
        inputs: Of N rows.
        columns: What to choose from.
        most: How many to choose; where there are no more, all are returned.
        draw: A permutation of the N rows.

    Returns:
        The chosen, in their order.
    """
    if len(columns) <= most:
        return list(columns)
    whole = predictor.scores(*inputs)
    moved = [np.abs(scores - whole).mean() for _, (scores,) in _permuted(predictor, inputs, columns, [draw])]
    chosen = np.argsort(-np.array(moved), kind="stable")[:most]
    return [columns[place] for place in np.sort(chosen)]


def _permuted(
    predictor: Predictor, inputs: Inputs, columns: Sequence[ColumnFeatures], draws: Sequence[NDArray[np.int64]]
) -> Iterator[tuple[ColumnFeatures, list[Floats]]]:
    """Yield every column with the scores of each draw; one copy of the inputs serves all of them."""
    changed = (inputs[0].copy(), inputs[1].copy())
    as_they_are = np.arange(len(inputs[0]))
    for column in columns:
        scores = []
        for rows in draws:
            column.put(changed, inputs, rows)
            scores.append(predictor.scores(*changed))
        yield column, scores
        column.put(changed, inputs, as_they_are)

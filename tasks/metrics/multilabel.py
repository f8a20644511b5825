"""Metrics of labels, any number of which may hold for a row; ranking and probability metrics are means over labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.metrics.classification import calibration_measure, described, probability_measures, ranking_measures
from tasks.metrics.counts import AVERAGES, Counts
from tasks.metrics.weighted import Floats, Measure, mean_of_defined, values, weighted_mean

Booleans = NDArray[np.bool_]


def label_measures(target: Booleans, probabilities: Floats, labels: Booleans) -> tuple[Measure, ...]:
    """Return the metrics of labels.

    Args:
        target: bool `[N, L]`.
        probabilities: float64 `[N, L]`, each of its own label.
        labels: bool `[N, L]`, what the decision made of the probabilities.
    """
    every = [(target[:, index], probabilities[:, index]) for index in range(target.shape[1])]
    return (_counted(target, labels), *ranking_measures(every), *_probabilities(every))


def per_label(target: Booleans, probabilities: Floats, labels: Booleans, names: list[Any]) -> list[dict[str, Any]]:
    """Return for each label what `tasks.metrics.classification.per_class` returns for each class."""
    counts = Counts.of_labels(np.ones((1, len(target))), target, labels)
    areas = [
        values(ranking_measures([(target[:, index], probabilities[:, index])]), len(target))
        for index in range(len(names))
    ]
    return described(names, counts, areas)


def _counted(target: Booleans, labels: Booleans) -> Measure:
    wrong = (target != labels).mean(axis=1)

    def count(weights: Floats) -> dict[str, Floats]:
        return {
            "subset_accuracy": weighted_mean(weights, wrong == 0),
            "hamming_loss": weighted_mean(weights, wrong),
            **Counts.of_labels(weights, target, labels).averages(),
        }

    return Measure(("subset_accuracy", "hamming_loss", *AVERAGES), count)


def _probabilities(every: list[tuple[Booleans, Floats]]) -> tuple[Measure, ...]:
    """Take each label for a problem of two classes, and the mean over the labels.

    But for the calibration error: the confidence is the label's own probability, whether above a half or below.
    """
    alone = []
    for truth, score in every:
        loss, brier, _ = probability_measures(truth.astype(np.int64), np.stack([1 - score, score], axis=1))
        alone.append((loss, brier, calibration_measure(score, truth)))
    return tuple(_mean_of(each) for each in zip(*alone, strict=True))


def _mean_of(measures: tuple[Measure, ...]) -> Measure:
    (name,) = measures[0].names
    return Measure(
        (name,),
        lambda weights: {name: mean_of_defined(np.stack([each.of(weights)[name] for each in measures], axis=1))},
    )

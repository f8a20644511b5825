"""How good the served predictions were, measured with the metrics of the evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import norm

from tasks.drift.comparisons import Comparison
from tasks.drift.labels import Labels, row_keys
from tasks.drift.report import Metric, Performance
from tasks.metrics.bootstrap import Interval, Resampling, intervals
from tasks.metrics.measures import measures_of
from tasks.metrics.table import direction
from tasks.metrics.weighted import values
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target

# Of a problem's metrics these alarm: one of the order, one of the numbers themselves.
_JUDGED = {
    "binary": ("roc_auc", "log_loss"),
    "multiclass": ("roc_auc", "log_loss"),
    "multilabel": ("roc_auc", "log_loss"),
    "regression": ("rmse",),
    "quantile": ("pinball",),
}
# Below, an interval of the bootstrap is too rough to take a standard error from.
_LEAST_ROWS = 200
_CONFIDENCE, _RESAMPLES = 0.95, 200


class Labelled:
    """Gathers the sampled rows that have a label; memory grows with these, not with the samples.

    Args:
        labels: What turned out to be true.
        target: What is predicted.
    """

    def __init__(self, labels: Labels, target: Target) -> None:
        self._labels, self._target = labels, target
        self._places: list[NDArray[np.int64]] = []
        self._answers: list[dict[str, NDArray[Any]]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the rows of a batch of samples that have a label."""
        keys = row_keys(batch.column("request"), batch.column("row"))
        places = self._labels.places(keys)
        found = np.flatnonzero(places >= 0)
        if len(found):
            predicted = batch.column("prediction").take(pa.array(found))
            self._places.append(places[found])
            self._answers.append({name: _matrix(predicted.field(name)) for name in _outputs(self._target)})

    def finish(self, evaluation: Mapping[str, Any]) -> tuple[Performance, list[Comparison]]:
        """Measure what was gathered and hold it against the evaluation.

        Returns:
            The figures, and a comparison for each metric that may alarm; none where rows or intervals are missing.
        """
        places = np.concatenate([np.zeros(0, np.int64), *self._places])
        times = np.bincount(places, minlength=len(self._labels.keys))
        alone = times[places] == 1
        metrics = self._metrics(places[alone], alone, evaluation) if alone.any() else {}
        found = Performance(
            rows=int(alone.sum()),
            unmatched=int((times == 0).sum()),
            ambiguous=int((times > 1).sum()),
            unlabelled=self._labels.nulls,
            metrics=metrics,
        )
        judged = _JUDGED[self._target.problem] if found.rows >= _LEAST_ROWS else ()
        confidence = evaluation.get("bootstrap", {}).get("confidence", _CONFIDENCE)
        return found, list(_worse({name: metrics[name] for name in judged if name in metrics}, confidence))

    def _metrics(
        self, places: NDArray[np.int64], alone: NDArray[np.bool_], evaluation: Mapping[str, Any]
    ) -> dict[str, Metric]:
        # The same rows in the same order give the same figures, however the files are named.
        order = np.argsort(places)
        answers = {
            name: np.concatenate([each[name] for each in self._answers])[alone][order]
            for name in _outputs(self._target)
        }
        truth = self._labels.truth[places[order]]
        requests = [key.rpartition(":")[0] for key in self._labels.keys.take(pa.array(places[order])).to_pylist()]
        groups = np.unique(requests, return_inverse=True)[1]
        measures = measures_of(self._target, truth, _predictions(self._target, answers))
        within = intervals(measures, len(truth), Resampling(_RESAMPLES, _CONFIDENCE, groups=groups))
        before, before_within = evaluation.get("test", {}), evaluation.get("intervals", {})
        return {
            name: Metric(
                served=value,
                interval=within.get(name),
                evaluated=before.get(name),
                evaluated_interval=before_within.get(name),
            )
            for name, value in values(measures, len(truth)).items()
        }


def _outputs(target: Target) -> tuple[str, ...]:
    if isinstance(target, ClassTarget):
        return "label", "probabilities"
    if isinstance(target, LabelsTarget):
        return "labels", "probabilities"
    return ("quantiles",) if target.quantiles else ("prediction",)


def _matrix(column: pa.Array) -> NDArray[Any]:
    """Return an output of N rows, `[N]` or, of lists of equal lengths, `[N, C]`."""
    if pa.types.is_list(column.type):
        return np.asarray(column.flatten().to_numpy(zero_copy_only=False)).reshape(len(column), -1)
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _predictions(target: Target, answers: Mapping[str, NDArray[Any]]) -> Predictions:
    if isinstance(target, NumberTarget):
        return Predictions(numbers=next(iter(answers.values())).astype(np.float64))
    probabilities = answers["probabilities"].astype(np.float64)
    if isinstance(target, LabelsTarget):
        return Predictions(probabilities=probabilities, labels=answers["labels"].astype(np.bool_))
    places = {word: place for place, word in enumerate(target.classes)}
    labels = np.array([places[word] for word in answers["label"].tolist()], np.int64)
    return Predictions(probabilities=probabilities, labels=labels)


def _worse(metrics: Mapping[str, Metric], confidence: float) -> Iterator[Comparison]:
    """Compare metrics one-sidedly by the standard errors that their intervals stand for, both taken as normal."""
    for name, metric in metrics.items():
        if metric.evaluated is None or metric.interval is None or metric.evaluated_interval is None:
            continue
        error = math.hypot(_error(metric.interval, _CONFIDENCE), _error(metric.evaluated_interval, confidence))
        if not error:
            continue
        worse = direction(name) * (metric.evaluated - metric.served) / error
        yield Comparison(
            name,
            "labels",
            "performance",
            worse,
            float(norm.sf(worse)),
            lambda level: float(norm.isf(level)),
            f"{metric.served:.4g} instead of {metric.evaluated:.4g}, worse by {worse:.2g} standard errors",
            np.zeros(0, np.int64),
            np.zeros((0, 0), np.int64),
        )


def _error(interval: Interval, confidence: float) -> float:
    return (interval[1] - interval[0]) / (2 * float(norm.isf((1 - confidence) / 2)))

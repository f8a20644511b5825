"""Scores of which the truth is known, because it is drawn from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.calibration.quality import quality_of
from tasks.evaluation.held_out import plain_truth
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget

Rows = tuple[NDArray[np.float64], NDArray[Any]]


def class_rows(classes: int, rows: int, boldness: float, seed: int = 0) -> Rows:
    """Logits `boldness` times those that the classes are drawn from, float64 `[N, C]`, and the classes int64 `[N]`."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, classes)) * 1.5
    # The largest of logits with Gumbel noise is a draw from their softmax.
    return logits * boldness, (logits + random.gumbel(size=logits.shape)).argmax(axis=1)


def label_rows(labels: int, rows: int, boldness: float, seed: int = 0) -> Rows:
    """The same for labels that hold or not by themselves: float64 `[N, L]` and float32 `[N, L]`."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, labels)) * 1.5 - 0.5
    return logits * boldness, (random.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float32)


def measured(rows: Rows, target: ClassTarget | LabelsTarget, decision: Decision) -> dict[str, float]:
    """Return log loss and ECE of rows that a decision was not fitted on."""
    scores, truth = rows
    return quality_of(predictions(scores, target, decision), plain_truth(truth, target), target).measures

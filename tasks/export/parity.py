"""Parity: how far the graph that serves is from the path that trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from tasks.export.prediction_paths import ServingPath, TrainingPath

_BATCH_ROWS = 4096


class Parity(BaseModel):
    """The measured difference over a set of rows.

    Attributes:
        max_difference: The largest absolute difference of a probability, over rows where both paths are finite.
        label_flips: Rows whose labels differ.
        non_finite: Rows where either path gives a probability that is not a number, or both do; such a row proves
            nothing, so it counts against the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = 0
    max_difference: float = 0.0
    label_flips: int = 0
    non_finite: int = 0

    def __add__(self, other: Parity) -> Parity:
        return Parity(
            rows=self.rows + other.rows,
            max_difference=max(self.max_difference, other.max_difference),
            label_flips=self.label_flips + other.label_flips,
            non_finite=self.non_finite + other.non_finite,
        )


def measure_parity(training: TrainingPath, serving: ServingPath, tables: Iterable[pa.Table]) -> Parity:
    """Send the same typed rows through both paths, a few thousand at a time, and compare."""
    total = Parity()
    for table in _batches(tables):
        expected = training.probabilities(table)
        labels, got = serving.predict(table)
        total += compare(expected, got, flipped=training.labels(expected) != labels)
    return total


def compare(expected: np.ndarray, got: np.ndarray, *, flipped: np.ndarray) -> Parity:
    """Compare probabilities [rows, classes]; `flipped` is true [rows] where the labels differ."""
    finite = np.isfinite(expected).all(axis=1) & np.isfinite(got).all(axis=1)
    differences = np.abs(expected[finite].astype(np.float64) - got[finite])
    return Parity(
        rows=len(expected),
        max_difference=float(differences.max(initial=0.0)),
        label_flips=int(np.count_nonzero(flipped)),
        non_finite=int(np.count_nonzero(~finite)),
    )


def _batches(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for table in tables:
        for start in range(0, table.num_rows, _BATCH_ROWS):
            yield table.slice(start, _BATCH_ROWS)

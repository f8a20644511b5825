"""Parity: how far the graph that serves is from the path that trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from tasks.export.outputs import Tensors
from tasks.export.prediction_paths import ServingPath, TrainingPath

_BATCH_ROWS = 4096


class Parity(BaseModel):
    """The measured difference over a set of rows.

    Attributes:
        max_difference: The largest absolute difference of a probability, or of a predicted number in units of the
            target's spread (its standard deviation over the training split), over rows where both paths are finite.
        label_flips: Labels that differ: one of each row, or one of each row and column of a multi-label problem.
        non_finite: Rows where either path gives a probability or a number that is not finite, or both do; such a row
            proves nothing, so it counts against the model.
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
        total += compare(training.predict(table), serving.predict(table), unit=training.unit)
    return total


def compare(expected: Tensors, got: Tensors, *, unit: float = 1.0) -> Parity:
    """Compare the outputs of both paths, each [rows] or [rows, O]; differences are divided by `unit`."""
    total = Parity()
    for name, wanted in expected.items():
        if wanted.dtype.kind == "f":
            total += _compare_floats(wanted, got[name], unit)
        else:
            total += Parity(label_flips=int(np.count_nonzero(wanted != got[name])))
    return total.model_copy(update={"rows": len(next(iter(expected.values())))})


def _compare_floats(expected: np.ndarray, got: np.ndarray, unit: float) -> Parity:
    finite = np.isfinite(expected) & np.isfinite(got)
    rows = finite if finite.ndim == 1 else finite.all(axis=1)
    differences = np.abs(expected[rows].astype(np.float64) - got[rows]) / unit
    return Parity(max_difference=float(differences.max(initial=0.0)), non_finite=int(np.count_nonzero(~rows)))


def _batches(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for table in tables:
        for start in range(0, table.num_rows, _BATCH_ROWS):
            yield table.slice(start, _BATCH_ROWS)

"""The rows that a model is measured on: what was true of them, what the model said, and which of them belong together.

`predictions.parquet` keeps them in the order of the test split of features and of clean rows alike, so that another
model's answers for the same rows can be set beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.parquet import read_parquet
from tasks.data.partitions import read_manifest, read_partition
from tasks.errors import ConfigError
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.columns import one_array
from tasks.preprocessing.target_values import stored_target
from tasks.preprocessing.targets import LabelsTarget, NumberTarget, Target
from tasks.references import DatasetRef, EvaluationRef
from tasks.storage import naming_lost

PREDICTIONS = "predictions.parquet"

_ROW, _GROUP, _TARGET, _LABEL = "row", "group", "target", "label"
# Standardizing a number and back leaves this much, relative to the mean and the deviation, where it was zero.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Truth:
    """What is true of N rows.

    Attributes:
        values: int64 `[N]` of class indices, bool `[N, L]` of labels, or float64 `[N]` in the target's own unit.
        groups: int64 `[N]`, which rows belong together, counted from 0 without gaps; None where each stands alone.
    """

    values: NDArray[Any]
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.values)


def read_truth(features: DatasetRef, target: Target, split: str, group: str | None) -> Truth:
    """Read what is true of a split's rows.

    Args:
        features: The features dataset.
        target: What is predicted.
        split: `train`, `validation` or `test`.
        group: The kept raw column whose values tell which rows belong together; rows without a value are one group.

    Raises:
        ConfigError: The features dataset keeps no such column.
    """
    manifest = read_manifest(features)
    if group is not None and group not in manifest.columns:
        raise ConfigError(
            f"evaluate.groups: the features dataset does not hold the raw column `{group}`\n"
            f"  do: write preprocess.keep: [{group}], or leave evaluate.groups out"
        )
    names = [*target.stored, *([] if group is None else [group])]
    tables = [read_partition(features.folder, each, names) for each in manifest.of_split(split)]
    values = np.concatenate([stored_target(table, target) for table in tables])
    together = None
    if group is not None:
        column = one_array(pa.chunked_array([chunk for table in tables for chunk in table[group].chunks]))
        together = column.dictionary_encode(null_encoding="encode").indices.to_numpy().astype(np.int64)
    return Truth(plain_truth(values, target), together)


def plain_truth(values: NDArray[Any], target: Target) -> NDArray[Any]:
    """Turn a target as models learn it into what it stands for: labels into bool, numbers into their own unit."""
    if isinstance(target, LabelsTarget):
        return values > 0.5
    if not isinstance(target, NumberTarget):
        return values
    numbers = values.astype(np.float64) * target.spread + target.center
    if target.source == "integer":
        return np.rint(numbers)
    numbers[np.abs(numbers) < _ROUNDING * max(abs(target.center), target.spread)] = 0.0
    return numbers


def predictions_table(truth: Truth, predicted: Predictions) -> pa.Table:
    """Write truth and predictions as columns.

    `row` int64 is the position in the split, `group` int64 stands there where rows belong together. Then, for
    classes, `target`, `label` (int64 indices) and `probability_<index>`; for labels `target_<index>` and
    `label_<index>` (bool) and `probability_<index>`; for numbers `target` and `number_0` (float64), and a
    `number_<index>` for each quantile.
    """
    columns: dict[str, Any] = {_ROW: np.arange(len(truth), dtype=np.int64)}
    if truth.groups is not None:
        columns[_GROUP] = truth.groups
    columns |= _spread_out(_TARGET, truth.values)
    for name, values in ((_LABEL, predicted.labels), ("probability", predicted.probabilities)):
        columns |= {} if values is None else _spread_out(name, values)
    if predicted.numbers is not None:
        columns |= _spread_out("number", predicted.numbers.reshape(len(truth), -1))
    return pa.table(columns)


def read_predictions(evaluation: EvaluationRef, target: Target) -> tuple[Truth, Predictions]:
    """Read `predictions.parquet` as it was measured.

    Raises:
        IntegrityError: The file is gone.
    """
    path = evaluation.folder / PREDICTIONS
    with naming_lost(path, "the evaluation is"):
        table = read_parquet(path)
    groups = table[_GROUP].to_numpy() if _GROUP in table.column_names else None
    if isinstance(target, NumberTarget):
        numbers = _gathered(table, "number")
        predicted = Predictions(numbers=numbers if target.quantiles else numbers[:, 0])
        return Truth(table[_TARGET].to_numpy(), groups), predicted
    probabilities = _gathered(table, "probability")
    if isinstance(target, LabelsTarget):
        predicted = Predictions(probabilities=probabilities, labels=_gathered(table, _LABEL))
        return Truth(_gathered(table, _TARGET), groups), predicted
    predicted = Predictions(probabilities=probabilities, labels=table[_LABEL].to_numpy())
    return Truth(table[_TARGET].to_numpy(), groups), predicted


def _spread_out(name: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if values.ndim == 1:
        return {name: values}
    return {f"{name}_{index}": np.ascontiguousarray(column) for index, column in enumerate(values.T)}


def _gathered(table: pa.Table, name: str) -> NDArray[Any]:
    count = sum(each.startswith(f"{name}_") for each in table.column_names)
    columns = [table[f"{name}_{index}"].to_numpy(zero_copy_only=False) for index in range(count)]
    return np.stack(columns, axis=1)

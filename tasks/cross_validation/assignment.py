"""Which fold predicts each training row, and which rows a fold's model may learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.augmentation.rows import AUGMENTED, PARENT, PARENT_2
from tasks.cross_validation.config import CrossValidateConfig
from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.columns import numeric_values, one_array
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Target
from tasks.training.folds import Fold, folds, time_folds
from tasks.training.job import Material, TrainJob

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Assignment:
    """The folds of N training rows; a row that augmentation made goes where the row goes that it was made from.

    Attributes:
        fold: int8 `[N]`, -1 for rows that no fold predicts.
        second: int8 `[N]`, the fold of the other row that an interpolated row was made from, else as `fold`.
        position: int64 `[N]`, the row's position in the training split before augmentation.
        original: bool `[N]`, whether it is a row of the data; only those are predicted.
        ordered: Whether a fold may learn only from folds before it.
    """

    fold: Fold
    second: Fold
    position: NDArray[np.int64]
    original: Rows
    ordered: bool

    def learned(self, held_out: int) -> Rows:
        """Return which rows the model learns from that predicts a fold."""
        if self.ordered:
            return np.asarray(np.maximum(self.fold, self.second) < held_out)
        return np.asarray((self.fold != held_out) & (self.second != held_out))

    def predicted(self, held_out: int) -> Rows:
        """Return which rows a fold predicts."""
        return np.asarray(self.original & (self.fold == held_out))


def assign(job: TrainJob, material: Material, config: CrossValidateConfig) -> Assignment:
    """Give every training row its fold: a pure function of the data, the config and `train.seed`.

    Args:
        job: What is trained.
        material: Its data.
        config: The folds, with a method that is no longer `auto`.

    Raises:
        ConfigError: There are too few rows, groups or different times, or the column is not in the dataset.
        TrainingError: A row has no time.
    """
    made = job.training_column(AUGMENTED)
    rows = len(material.train)
    original = np.ones(rows, np.bool_) if made is None else ~_numbers(made).astype(np.bool_)
    position = np.arange(rows) if made is None else _positions(job, PARENT)
    # Of the rows with one position the original comes first, whose column is the data's.
    order = np.argsort(~original, kind="stable")
    different, first, unit = np.unique(position[order], return_index=True, return_inverse=True)
    leading = order[first]
    fold_of = _folds(job, material, config, leading)
    fold = np.empty(rows, np.int8)
    fold[order] = fold_of[unit]
    second = fold.copy()
    if made is not None:
        other = _positions(job, PARENT_2)
        place = np.minimum(np.searchsorted(different, other), len(different) - 1)
        known = different[place] == other
        second[known] = fold_of[place[known]]
    return Assignment(fold, second, position, original, config.method == "time")


def require_classes(material: Material, assignment: Assignment, count: int) -> None:
    """Check that every class, and both sides of every label, are there wherever a fold learns and is measured.

    Args:
        material: The data.
        assignment: Its folds.
        count: How many folds.

    Raises:
        TrainingError: One is absent; the message names fold and class.
    """
    target, values = material.fitted.target, material.train.target.numpy()
    for held_out in range(count):
        parts = {"its training rows": assignment.learned(held_out), "its own rows": assignment.predicted(held_out)}
        for where, chosen in parts.items():
            absent = _absent(target, values[chosen])
            if absent:
                raise TrainingError(
                    f"cross_validate: fold {held_out + 1} of {count}: {absent} does not occur among {where} "
                    f"({int(chosen.sum()):,})\n  do: lower cross_validate.folds, take `method: stratified` where rows "
                    "may be dealt freely, or bring more rows of that kind"
                )


def _absent(target: Target, values: NDArray[np.float32] | NDArray[np.int64]) -> str | None:
    if isinstance(target, ClassTarget):
        counts = np.bincount(values.astype(np.int64), minlength=len(target.classes))
        return None if counts.all() else f"class {target.classes[int(np.argmin(counts))]!r}"
    if isinstance(target, LabelsTarget):
        shares = values.mean(axis=0) if len(values) else np.zeros(len(target.labels))
        for label, share in zip(target.labels, shares, strict=True):
            if share in {0.0, 1.0}:
                return f"label {label} = {'false' if share else 'true'}"
    return None


def _folds(job: TrainJob, material: Material, config: CrossValidateConfig, leading: NDArray[np.int64]) -> Fold:
    """Return the fold of each different row, int8 `[U]`, by the columns of the first row of each, `[U]`."""
    target = material.train.target.numpy()[leading] if isinstance(material.fitted.target, ClassTarget) else None
    if config.method == "time":
        return time_folds(_instants(job, config.column, len(material.train))[leading], config.folds)
    groups = None
    if config.method == "group":
        assert config.column is not None, "the config's validator has seen to it"
        values = one_array(_column(job, config.column)).dictionary_encode(null_encoding="encode")
        groups = values.indices.to_numpy()[leading]
    return folds(len(leading), config.folds, job.config.seed, None if config.method == "kfold" else target, groups)


def _instants(job: TrainJob, column: str | None, rows: int) -> NDArray[np.float64] | NDArray[np.int64]:
    if column is None:
        return np.arange(rows)
    instants = numeric_values(_column(job, column))
    missing = int(np.isnan(instants).sum())
    if missing:
        raise TrainingError(
            f"cross_validate.column: `{column}` is null in {missing:,} of {rows:,} training rows, which have no place "
            "in time\n  do: make the column `required` in the contract, or name another one"
        )
    return instants


def _column(job: TrainJob, name: str) -> pa.ChunkedArray:
    values = job.training_column(name)
    if values is None:
        raise ConfigError(
            f"cross_validate.column: `{name}` is not a column of the features dataset\n"
            f"  do: carry it there with `preprocess.keep: [{name}]`"
        )
    return values


def _positions(job: TrainJob, name: str) -> NDArray[np.int64]:
    return _numbers(_column(job, name)).astype(np.int64)


def _numbers(values: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(one_array(values).to_numpy(zero_copy_only=False))

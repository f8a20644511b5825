"""A training on all folds but one, for predicting that one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tasks.augmentation.rows import PARENT
from tasks.errors import ConfigError
from tasks.preprocessing.targets import ClassTarget
from tasks.storage import digest_of
from tasks.training.folds import Fold, folds
from tasks.training.job import Material, TrainJob
from tasks.training.splits import SplitTensors


@dataclass(frozen=True)
class FoldPlan:
    """How the training split is cut.

    Attributes:
        k: How many folds.
        seed: Decides them.
        group: A column of the features dataset whose values stay together, or None.
    """

    k: int
    seed: int
    group: str | None = None


@dataclass(frozen=True)
class FoldJob(TrainJob):
    """A job that leaves one fold of another job's training rows out; the validation split stays as it is.

    Attributes:
        whole: The other job.
        plan: The folds.
        held_out: Which one is left out.
    """

    whole: TrainJob
    plan: FoldPlan
    held_out: int

    @classmethod
    def of(cls, job: TrainJob, plan: FoldPlan, held_out: int) -> FoldJob:
        """Take what is trained, and where, from a job."""
        return cls(job.features, job.preprocessing, job.config, job.home, job.work, job.augment, job, plan, held_out)

    def material(self) -> Material:
        """Read the data without the fold."""
        material = self.whole.material()
        kept = fold_of_rows(self.whole, material, self.plan) != self.held_out
        identity = [material.digest, self.plan.k, self.plan.seed, self.plan.group, self.held_out]
        return Material(
            train=chosen_rows(material.train, kept),
            validation=material.validation,
            fitted=material.fitted,
            digest=digest_of(identity),
        )


def chosen_rows(split: SplitTensors, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> SplitTensors:
    """Return the rows of a split where `chosen` `[N]` is true."""
    *inputs, target = split.rows(torch.from_numpy(np.flatnonzero(chosen)))
    return SplitTensors(tuple(inputs), target)


def fold_of_rows(job: TrainJob, material: Material, plan: FoldPlan) -> Fold:
    """Return the fold of every training row, int8 `[N]`; classes are spread evenly.

    Without a group, rows that augmentation made stay with the row that they were made from.

    Raises:
        ConfigError: There are fewer rows or groups than folds, or the column of the groups is not in the dataset.
    """
    train = material.train
    target = train.target.numpy() if isinstance(material.fitted.target, ClassTarget) else None
    if plan.group is not None:
        groups: np.ndarray[Any, np.dtype[Any]] | None = _groups(job, plan.group)
    else:
        parents = job.training_column(PARENT)
        groups = None if parents is None else parents.to_numpy()
    return folds(len(train), plan.k, plan.seed, target, groups)


def _groups(job: TrainJob, column: str) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    values = job.training_column(column)
    if values is None:
        raise ConfigError(
            f"train.model.group: `{column}` is not a column of the features dataset\n"
            f"  do: carry it there with `preprocess.keep: [{column}]`, or remove the key"
        )
    # As text, null among them: only whether two values are the same counts.
    return np.array([str(value) for value in values.to_pylist()])

"""The features as tensors, checked for what no training can mend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from tasks.errors import TrainingError
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.transform import read_features
from tasks.references import DatasetRef, PreprocessingRef

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class SplitTensors:
    """One split: `numeric` float32 `[N, D]`, `categorical` int64 `[N, K]`, `target` int64 `[N]` of class indices."""

    numeric: torch.Tensor
    categorical: torch.Tensor
    target: torch.Tensor

    def __len__(self) -> int:
        return len(self.target)

    def rows(self, index: torch.Tensor | slice) -> Batch:
        """Return the chosen rows of all three."""
        return self.numeric[index], self.categorical[index], self.target[index]


def read_split(features: DatasetRef, preprocessing: PreprocessingRef, split: str) -> SplitTensors:
    """Read one split into memory.

    Raises:
        TrainingError: The split has no row.
    """
    numeric, categorical, target = read_features(features, preprocessing, split)
    if len(target) == 0:
        raise TrainingError(
            f"dataset {features.path}: the {split} split has no row; expected at least one\n"
            "  do: give it a larger fraction in the split config, or bring more data (by group: more groups)"
        )
    # torch allocates at 64 bytes, NumPy does not, and the alignment may change which kernel sums: hence copies.
    return SplitTensors(
        numeric=torch.tensor(numeric, dtype=torch.float32),
        categorical=torch.tensor(categorical, dtype=torch.int64),
        target=torch.tensor(target, dtype=torch.int64),
    )


def require_trainable(train: SplitTensors, preprocessing: Preprocessing) -> None:
    """Check that the training split can teach anything.

    Raises:
        TrainingError: There is no feature, the target has one class, or a number is not finite.
    """
    if not preprocessing.numeric and not preprocessing.categorical:
        raise TrainingError(
            f"target {preprocessing.target.column}: no feature is left to learn it from\n"
            "  do: include columns in the preprocessing config; constant columns and the target itself give none"
        )
    present = np.unique(train.target.numpy())
    target = preprocessing.target
    if len(present) < 2:
        raise TrainingError(
            f"column {target.column}: the target has one class ({target.classes[present[0]]!r}) in all {len(train)} "
            f"training rows; expected at least two of {list(target.classes)[:5]}\n"
            "  do: check how the target is made, or split so that every class reaches the training split"
        )
    finite = torch.isfinite(train.numeric).all(dim=0).tolist()
    broken = [feature.name for feature, good in zip(preprocessing.numeric, finite, strict=True) if not good]
    if broken:
        raise TrainingError(
            f"features {', '.join(broken[:5])}: expected finite float32 values, got NaN or infinity ({len(broken)} "
            "features)\n  do: run the preprocessing again; clip the columns if their numbers exceed float32"
        )

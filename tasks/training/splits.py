"""The features as tensors, checked for what no training can mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.errors import TrainingError
from tasks.images.features import read_images
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.preprocessing.targets import ClassTarget, Target
from tasks.preprocessing.transform import read_features
from tasks.references import DatasetRef, PreprocessingRef

# The model's inputs, then the target.
Batch = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class SplitTensors:
    """One split.

    Attributes:
        inputs: What a model reads; of tables `numeric` float32 `[N, D]` and `categorical` int64 `[N, K]`, of images
            their pixels, uint8 `[N, H, W, C]`.
        target: int64 `[N]` of class indices, float32 `[N, L]` of labels (0 or 1), or float32 `[N]` standardized.
    """

    inputs: tuple[torch.Tensor, ...]
    target: torch.Tensor

    def __len__(self) -> int:
        return len(self.target)

    @property
    def numeric(self) -> torch.Tensor:
        """A table's numbers."""
        return self.inputs[0]

    @property
    def categorical(self) -> torch.Tensor:
        """A table's codes."""
        return self.inputs[1]

    def rows(self, index: torch.Tensor | slice) -> Batch:
        """Return the chosen rows of the inputs and of the target."""
        return *(each[index] for each in self.inputs), self.target[index]


def read_split(features: DatasetRef, preprocessing: PreprocessingRef, split: str) -> SplitTensors:
    """Read one split into memory.

    Raises:
        TrainingError: The split has no row.
    """
    fitted = read_preprocessing(preprocessing)
    if fitted.image is not None:
        pixels, classes = read_images(features, fitted, split)
        _require_rows(len(classes), features, split)
        return SplitTensors(inputs=(torch.from_numpy(pixels),), target=torch.from_numpy(classes))
    numeric, categorical, target = read_features(features, preprocessing, split)
    _require_rows(len(target), features, split)
    # torch allocates at 64 bytes, NumPy does not, and the alignment may change which kernel sums: hence copies.
    return SplitTensors(
        inputs=(torch.tensor(numeric, dtype=torch.float32), torch.tensor(categorical, dtype=torch.int64)),
        target=torch.tensor(target, dtype=torch.int64 if target.dtype == np.int64 else torch.float32),
    )


def _require_rows(rows: int, features: DatasetRef, split: str) -> None:
    if not rows:
        raise TrainingError(
            f"dataset {features.path}: the {split} split has no row; expected at least one\n"
            "  do: give it a larger fraction in the split config, or bring more data (by group: more groups)"
        )


def require_trainable(train: SplitTensors, preprocessing: Preprocessing) -> None:
    """Check that the training split can teach anything.

    Raises:
        TrainingError: There is no feature, the target or one of its labels never changes, or a number is not finite.
    """
    target = preprocessing.target
    if preprocessing.image is None and not preprocessing.numeric and not preprocessing.categorical:
        raise TrainingError(
            f"target {', '.join(target.columns)}: no feature is left to learn it from\n"
            "  do: include columns in the preprocessing config; constant columns and the target itself give none"
        )
    _require_change(train.target.numpy(), target)
    if preprocessing.image is not None:
        return
    finite = torch.isfinite(train.numeric).all(dim=0).tolist()
    broken = [feature.name for feature, good in zip(preprocessing.numeric, finite, strict=True) if not good]
    if broken:
        raise TrainingError(
            f"features {', '.join(broken[:5])}: expected finite float32 values, got NaN or infinity ({len(broken)} "
            "features)\n  do: run the preprocessing again; clip the columns if their numbers exceed float32"
        )


def _require_change(values: NDArray[Any], target: Target) -> None:
    if isinstance(target, ClassTarget):
        present = np.unique(values)
        if len(present) < 2:
            raise TrainingError(
                f"column {target.column}: the target has one class ({target.classes[present[0]]!r}) in all "
                f"{len(values)} training rows; expected at least two of {list(target.classes)[:5]}\n"
                "  do: check how the target is made, or split so that every class reaches the training split"
            )
        return
    constant = np.atleast_1d(values.min(axis=0) == values.max(axis=0))
    if constant.any():
        name = target.columns[int(np.flatnonzero(constant)[0])]
        raise TrainingError(
            f"column {name}: the target is the same in all {len(values)} training rows; there is nothing to learn\n"
            "  do: check how the target is made, or split so that the training split has rows that differ in it"
        )

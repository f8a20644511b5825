"""Training jobs of every problem, with their data in memory: a bend in the first number and the category decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from tasks.augmentation.config import AugmentConfig
from tasks.models.linear import LinearConfig
from tasks.models.mlp import MlpConfig
from tasks.models.trees import TreesConfig
from tasks.preprocessing.constants import CategoricalFeature, NumericFeature, Preprocessing
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target
from tasks.references import DatasetRef, PreprocessingRef
from tasks.training.config import TrainConfig
from tasks.training.job import Material, TrainJob
from tasks.training.splits import SplitTensors

TARGETS: dict[str, Target] = {
    "binary": ClassTarget(column="late", source="boolean", classes=(False, True)),
    "multiclass": ClassTarget(column="late", source="string", classes=("early", "late", "on time")),
    "multilabel": LabelsTarget(labels=("late", "full")),
    "regression": NumberTarget(column="delay", source="number", center=10.0, spread=4.0),
    "quantile": NumberTarget(column="delay", source="number", center=10.0, spread=4.0, quantiles=(0.1, 0.5, 0.9)),
}
TREES = TreesConfig(rounds=30, leaves=5, learning_rate=0.2, patience=20)
LINEAR, MLP = LinearConfig(), MlpConfig(hidden=(8,))


@dataclass(frozen=True)
class MemoryJob(TrainJob):
    """A job whose data was never written."""

    data: Material

    def material(self) -> Material:
        return self.data

    def training_column(self, name: str) -> pa.ChunkedArray | None:
        del name
        return None


def small_job(folder: Path, problem: str, model: Any, **changes: Any) -> MemoryJob:
    """Make a job of 300 training and 100 validation rows; `changes` are keys of `train`."""
    target = TARGETS[problem]
    fitted = Preprocessing(
        numeric=tuple(NumericFeature(name=f"x{i}", column=f"x{i}", source="number") for i in range(2)),
        categorical=(CategoricalFeature(name="c", column="c", source="string", vocabulary=("a", "b")),),
        target=target,
    )
    config = TrainConfig(
        model=model, batch_size=64, steps_per_round=5, rounds=4, machine={"accelerator": "cpu", "threads": 1}, **changes
    )
    material = Material(
        train=_split(300, target, seed=1), validation=_split(100, target, seed=2), fitted=fitted, digest=problem
    )
    return MemoryJob(
        features=DatasetRef(path=str(folder / "features"), digest=problem, rows=400),
        preprocessing=PreprocessingRef(path=str(folder / "preprocessing"), digest=problem),
        config=config,
        home=folder / "home",
        work=folder / "work",
        augment=AugmentConfig(),
        data=material,
    )


def _split(rows: int, target: Target, seed: int) -> SplitTensors:
    random = np.random.default_rng(seed)
    numeric = random.normal(size=(rows, 2)).astype(np.float32)
    codes = random.integers(0, 5, (rows, 1))
    score = np.abs(numeric[:, 0]) + 0.5 * (codes[:, 0] == 3) + random.normal(scale=0.2, size=rows)
    if isinstance(target, ClassTarget):
        truth = torch.from_numpy(np.searchsorted([0.8] if len(target.classes) == 2 else [0.5, 1.2], score))
    elif isinstance(target, LabelsTarget):
        truth = torch.from_numpy(np.stack([score > 0.8, numeric[:, 1] > 0], axis=1).astype(np.float32))
    else:
        truth = torch.from_numpy(((score - score.mean()) / score.std()).astype(np.float32))
    return SplitTensors((torch.from_numpy(numeric), torch.from_numpy(codes)), truth)

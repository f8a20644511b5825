"""A features dataset, a fresh linear model and its calibration for every kind of problem."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from tasks.calibration.calibrate import run_calibrate
from tasks.calibration.config import CalibrateConfig
from tasks.data.partitions import Manifest, part_name, stored, write_manifest, write_partition
from tasks.evaluation.evaluate import EvaluateConfig, run_evaluate
from tasks.models.checkpoint import ModelDescription, write_checkpoint
from tasks.models.linear import LinearConfig
from tasks.models.registry import build_network
from tasks.models.spec import FeatureSpec
from tasks.preprocessing.constants import CategoricalFeature, NumericFeature, Preprocessing
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target
from tasks.references import CalibrationRef, CheckpointRef, DatasetRef, EvaluationRef, PreprocessingRef
from tasks.storage import write_json

TARGETS: dict[str, Target] = {
    "binary": ClassTarget(column="late", source="boolean", classes=(False, True)),
    "multiclass": ClassTarget(column="late", source="string", classes=("early", "late", "on time")),
    "multilabel": LabelsTarget(labels=("late", "full")),
    "regression": NumberTarget(column="delay", source="integer", center=10.0, spread=4.0),
    "quantile": NumberTarget(column="delay", source="number", center=10.0, spread=4.0, quantiles=(0.1, 0.5, 0.9)),
}
ROWS = {"train": 300, "validation": 300, "test": 200}
DAYS = 12


@dataclass(frozen=True)
class SmallModel:
    """References to everything that an evaluation reads."""

    features: DatasetRef
    preprocessing: PreprocessingRef
    checkpoint: CheckpointRef
    calibration: CalibrationRef
    target: Target

    def evaluate(self, home: Path, **settings: Any) -> EvaluationRef:
        config = EvaluateConfig.model_validate({"bootstrap": 20, **settings})
        return run_evaluate(self.features, self.preprocessing, self.checkpoint, self.calibration, config, home)


def small_model(home: Path, problem: str, *, rows: dict[str, int] | None = None, **calibrate: Any) -> SmallModel:
    """Write a problem of two numbers and a category, and a linear model with weights that know a little of it.

    Args:
        home: Where everything stands.
        problem: A key of `TARGETS`.
        rows: Of each split.
        calibrate: The section `calibrate`; `{"method": "none"}` leaves the decision empty.
    """
    target = TARGETS[problem]
    constants = Preprocessing(
        numeric=tuple(NumericFeature(name=f"x{i}", column=f"x{i}", source="number") for i in range(2)),
        categorical=(CategoricalFeature(name="c", column="c", source="string", vocabulary=("a", "b")),),
        target=target,
        keep=("day",),
    )
    write_json(home / "preprocessing" / "preprocessing.json", constants.model_dump(mode="json"))
    preprocessing = PreprocessingRef(path=str(home / "preprocessing"), digest=problem)
    features = _write_features(home, target, rows or ROWS)
    checkpoint = _write_model(home, FeatureSpec.of(constants), target)
    calibration = run_calibrate(
        features, preprocessing, checkpoint, CalibrateConfig.model_validate(calibrate or {"method": "none"}), home
    )
    return SmallModel(features, preprocessing, checkpoint, calibration, target)


def _write_features(home: Path, target: Target, rows: dict[str, int]) -> DatasetRef:
    staged = home / "staged"
    tables = {split: _table(target, count, seed) for seed, (split, count) in enumerate(rows.items()) if count}
    halves = [
        write_partition(staged, f"{split}/{part_name(place)}", half, split)
        for split, table in tables.items()
        for place, half in enumerate((table.slice(0, 50), table.slice(50)))
    ]
    manifest = Manifest(
        columns={field.name: str(field.type) for field in tables["train"].schema},
        partitions=tuple(each.partition for each in halves),
        digests={each.partition.path: each.digest for each in halves},
    )
    write_manifest(staged, manifest)
    features = stored(home, manifest)
    Path(features.path).parent.mkdir(parents=True, exist_ok=True)
    staged.rename(features.path)
    return features


def _table(target: Target, rows: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    x, day = random.normal(size=(rows, 2)).astype(np.float32), random.integers(0, DAYS, rows)
    score = x[:, 0] + 0.5 * random.normal(size=rows)
    if isinstance(target, ClassTarget):
        truth = [np.searchsorted([0.3] if len(target.classes) == 2 else [-0.5, 0.5], score)]
    elif isinstance(target, LabelsTarget):
        truth = [(score > 0).astype(np.float32), (x[:, 1] > 0.5).astype(np.float32)]
    else:
        raw = np.rint(target.center + target.spread * score) if target.source == "integer" else target.spread * score
        truth = [(raw - target.center) / target.spread]
    columns: dict[str, Any] = {"x0": x[:, 0], "x1": x[:, 1], "c": random.integers(1, 5, rows).astype(np.int32)}
    return pa.table(columns | dict(zip(target.stored, truth, strict=True)) | {"day": pa.array([f"d{i}" for i in day])})


def _write_model(home: Path, spec: FeatureSpec, target: Target) -> CheckpointRef:
    weights = build_network(LinearConfig(), spec).state_dict()
    slope = torch.linspace(0.0, 2.0, spec.outputs) if isinstance(target, ClassTarget) else torch.ones(spec.outputs)
    weights["weight"][0] = slope
    if spec.kind == "number":
        weights["bias"][:] = torch.linspace(-0.3, 0.3, spec.outputs) if spec.outputs > 1 else 0.0
    description = ModelDescription(model=LinearConfig(), features=spec, target=target, best_round=1, training="t0")
    return write_checkpoint(home, description, weights, [])

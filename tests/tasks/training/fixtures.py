"""A small features dataset in the layout that preprocessing writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.augmentation.config import AugmentConfig
from tasks.data.partitions import Manifest, Partition, write_manifest
from tasks.models.mlp_ple import MlpPleConfig
from tasks.preprocessing.constants import CategoricalFeature, NumericFeature, Preprocessing
from tasks.preprocessing.targets import ClassTarget
from tasks.references import DatasetRef, PreprocessingRef
from tasks.storage import digest_file, digest_folder, write_json
from tasks.training.selection_config import SelectionConfig
from tasks.training.train import TrainConfig

ROWS = {"train": 600, "validation": 200, "test": 200}

TINY = TrainConfig(
    model=MlpPleConfig(hidden=(16,), numeric_width=4, categorical_width=4),
    batch_size=64,
    steps_per_round=5,
    rounds=4,
    machine={"accelerator": "cpu", "threads": 1},
)


@dataclass(frozen=True)
class Problem:
    """References to a written dataset, and what was written."""

    features: DatasetRef
    preprocessing: PreprocessingRef
    constants: Preprocessing


def constants(classes: tuple[Any, ...] = (False, True), *, numbers: int = 2) -> Preprocessing:
    edges = tuple(float(edge) for edge in np.linspace(-2, 2, 9))
    source = {bool: "boolean", int: "integer", str: "string"}[type(classes[0])]
    numeric = [NumericFeature(name=f"x{i}", column=f"x{i}", source="number", edges=edges) for i in range(numbers)]
    if numbers:
        numeric.append(NumericFeature(name="x0_missing", column="x0", source="number", kind="is_null"))
    return Preprocessing(
        numeric=tuple(numeric),
        categorical=(CategoricalFeature(name="c", column="c", source="string", vocabulary=("a", "b")),)
        if numbers
        else (),
        target=ClassTarget(column="late", source=source, classes=classes),
    )


def write_problem(
    folder: Path,
    classes: tuple[Any, ...] = (False, True),
    *,
    rows: dict[str, int] | None = None,
    broken: float | None = None,
    one_class: bool = False,
) -> Problem:
    """Write a problem that a bend in the first number and the category decide, up to noise.

    Args:
        folder: Where.
        classes: Of the target.
        rows: Of each split.
        broken: A value to write into the first number of the training split.
        one_class: Let the target be the first class everywhere.
    """
    fitted = constants(classes)
    rows = ROWS if rows is None else rows
    random = np.random.default_rng(7)
    dataset = folder / "features"
    dataset.mkdir(parents=True)
    partitions = []
    for split, count in rows.items():
        columns: dict[str, Any] = {
            feature.name: random.normal(size=count).astype(np.float32) for feature in fitted.numeric[:-1]
        }
        columns["x0_missing"] = (random.random(count) < 0.1).astype(np.float32)
        columns["c"] = random.integers(1, 5, count).astype(np.int32)
        score = np.abs(columns["x0"]) + 0.5 * (columns["c"] == 3) + random.normal(scale=0.2, size=count)
        cuts = np.linspace(0.3, 1.5, len(classes) + 1)[1:-1]
        columns["target"] = np.searchsorted(cuts, score).astype(np.int64) * (not one_class)
        if broken is not None and split == "train":
            columns["x0"][3] = broken
        if count:
            pq.write_table(pa.table(columns), dataset / f"{split}.parquet", row_group_size=250)
            sizes = [min(250, count - start) for start in range(0, count, 250)]
            partitions += [
                Partition(path=f"{split}.parquet", row_group=i, rows=size, split=split) for i, size in enumerate(sizes)
            ]
    types = {feature.name: "float" for feature in fitted.numeric} | {"c": "int32", "target": "int64"}
    digests = {path.name: digest_file(path) for path in sorted(dataset.glob("*.parquet"))}
    write_manifest(dataset, Manifest(columns=types, partitions=tuple(partitions), digests=digests))
    features = DatasetRef(path=str(dataset), digest=digest_folder(dataset), rows=sum(rows.values()))
    return Problem(features, write_constants(folder / "preprocessing", fitted), fitted)


def write_constants(folder: Path, fitted: Preprocessing) -> PreprocessingRef:
    """Write fitted constants where preprocessing keeps them."""
    write_json(folder / "preprocessing.json", fitted.model_dump(mode="json"))
    return PreprocessingRef(path=str(folder), digest=digest_folder(folder))


# Everything that draws while training: over-sampling, noise, and weights in the loss.
ON_THE_FLY = AugmentConfig.model_validate(
    {
        "when": "batch",
        "balance": {"method": "over", "ratio": {"false": 0.6}, "seed": 3},
        "noise": {"share": 0.3, "swap": 0.2, "seed": 4},
    }
)

# Long enough, at some milliseconds a step, to be killed in its middle, and in the middle of its rounds.
LONG = TINY.model_copy(
    update={"rounds": 12, "steps_per_round": 25, "selection": SelectionConfig(patience=12), "checkpoint_steps": 10}
)

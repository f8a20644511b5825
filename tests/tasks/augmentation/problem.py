"""A small unbalanced problem that goes through the real split, fit and transform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.augmentation.partitions import TRAIN
from tasks.augmentation.rows import Matrices
from tasks.data.partitions import (
    DATASETS,
    Manifest,
    manifest_digest,
    read_manifest,
    read_partition,
    stored,
    write_manifest,
    write_partition,
)
from tasks.data.split import SplitConfig, run_split
from tasks.engine import DaskConfig
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing, run_fit
from tasks.preprocessing.transform import run_transform
from tasks.references import DatasetRef, PreprocessingRef
from tasks.storage import new_folder
from tests.tasks.data.tables import contract_of, ingest, write_parquet

ROWS = 1500
CLASSES = ("common", "rare", "seldom")
CONTRACT = contract_of(
    {
        "id": "integer",
        "x": "number",
        "y": "number",
        "flag": "boolean",
        "colour": "string",
        "day": "integer",
        "kind": "string",
    },
    key=("id",),
)


@dataclass(frozen=True)
class Problem:
    """A features dataset of several partitions, and what made it."""

    features: DatasetRef
    preprocessing: PreprocessingRef
    constants: Preprocessing

    @property
    def train(self) -> Matrices:
        """The training split before augmentation."""
        return Matrices.of(train_table(self.features), self.constants)

    def position(self, name: str) -> int:
        """The column of a numeric feature."""
        return [feature.name for feature in self.constants.numeric].index(name)


def make_table(rows: int = ROWS) -> pa.Table:
    random = np.random.default_rng(3)
    kind = random.choice(3, size=rows, p=[0.8, 0.12, 0.08])
    x = random.normal(size=rows) + kind
    colours = np.asarray(["red", "green", "blue", "white"])
    return pa.table(
        {
            "id": np.arange(rows),
            "x": x,
            "y": pa.array(random.normal(size=rows) - kind, mask=random.random(rows) < 0.1),
            "flag": random.random(rows) < 0.3 + 0.2 * kind,
            "colour": colours[random.integers(0, 3, rows) + (kind > 1)],
            "day": random.integers(1, 8, rows),
            "kind": np.asarray(CLASSES)[kind],
        }
    )


def make_problem(
    folder: Path,
    dask: DaskConfig,
    *,
    table: pa.Table | None = None,
    excluded: tuple[str, ...] = ("id",),
    **options: Any,
) -> Problem:
    """Split, fit and transform; the rows are clean as they come, in five partitions."""
    table = make_table() if table is None else table
    source = write_parquet(folder / "source.parquet", table, row_group=table.num_rows // 5)
    clean = ingest(source, CONTRACT, folder, dask)
    split = run_split(clean, CONTRACT, SplitConfig(target="kind"), folder, dask)
    categorical = () if "day" in excluded else ("day",)
    asked = {"target": "kind", "exclude": excluded, "categorical": categorical, **options}
    config = PreprocessConfig.model_validate(asked)
    preprocessing = run_fit(clean, split, CONTRACT, config, folder, dask)
    features = run_transform(clean, split, preprocessing, folder, dask)
    return Problem(features, preprocessing, read_preprocessing(preprocessing))


def train_table(features: DatasetRef) -> pa.Table:
    partitions = read_manifest(features).of_split(TRAIN)
    return pa.concat_tables([read_partition(Path(features.path), each) for each in partitions])


def with_column(features: DatasetRef, home: Path, name: str, type_: pa.DataType) -> DatasetRef:
    """Write the dataset with one more column, which counts the rows of each split."""
    manifest, starts = read_manifest(features), dict.fromkeys(("train", "validation", "test"), 0)
    with new_folder(home / DATASETS, manifest_digest) as folder:
        files = []
        for each in manifest.partitions:
            table = read_partition(Path(features.path), each)
            count = pa.array(range(starts[each.split], starts[each.split] + each.rows), type_)
            starts[each.split] += each.rows
            files.append(write_partition(folder, each.path, table.append_column(name, count), each.split))
        new = Manifest(
            columns={**manifest.columns, name: str(type_)},
            partitions=tuple(file.partition for file in files),
            digests={file.partition.path: file.digest for file in files},
        )
        write_manifest(folder, new)
    return stored(home, new)

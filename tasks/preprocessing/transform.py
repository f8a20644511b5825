"""The one pure pass that turns typed rows into features, and the task that runs it over a dataset.

The exported graph repeats this arithmetic exactly: float64 until one rounding to float32 at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.data.partitions import (
    DATASETS,
    Manifest,
    Partition,
    WrittenPartition,
    manifest_digest,
    part_name,
    read_manifest,
    read_partition,
    stored,
    write_manifest,
    write_partition,
)
from tasks.data.split import SPLITS, read_codes
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.preprocessing.columns import category_values, numeric_values, one_array
from tasks.preprocessing.constants import (
    FIRST_CODE,
    NULL,
    UNSEEN,
    CategoricalFeature,
    NumericFeature,
    Preprocessing,
    Target,
)
from tasks.preprocessing.fit import read_preprocessing
from tasks.references import DatasetRef, PreprocessingRef, SplitRef
from tasks.storage import new_folder

TARGET = "target"


@dataclass(frozen=True)
class Features:
    """Features of N rows.

    Attributes:
        numeric: float32 [N, D].
        categorical: int64 [N, K], codes as `tasks.preprocessing.constants.CategoricalFeature` describes them.
    """

    numeric: NDArray[np.float32]
    categorical: NDArray[np.int64]


def transform(table: pa.Table, preprocessing: Preprocessing) -> Features:
    """Turn typed rows into features.

    Args:
        table: Rows with at least `preprocessing.columns`, typed as `data_contracts.parsing.parse_table` leaves them.
        preprocessing: The fitted constants.
    """
    rows = table.num_rows
    numeric = np.empty((rows, len(preprocessing.numeric)), dtype=np.float32)
    for index, feature in enumerate(preprocessing.numeric):
        numeric[:, index] = _numeric(table[feature.column], feature)
    categorical = np.empty((rows, len(preprocessing.categorical)), dtype=np.int64)
    for index, category in enumerate(preprocessing.categorical):
        categorical[:, index] = _codes(table[category.column], category)
    return Features(numeric, categorical)


def _numeric(column: pa.ChunkedArray, feature: NumericFeature) -> NDArray[np.float64]:
    values = numeric_values(column, feature.part)
    missing = np.isnan(values)
    if feature.indicator:
        return missing.astype(np.float64)
    clipped = np.clip(np.where(missing, feature.fill, values), feature.lower, feature.upper)
    return np.asarray((clipped - feature.mean) / feature.std)


def _codes(column: pa.ChunkedArray, feature: CategoricalFeature) -> NDArray[np.int64]:
    values = category_values(column, feature.part)
    vocabulary = pa.array(feature.vocabulary, type=pa.string()).cast(values.type)
    found = pc.index_in(values, value_set=vocabulary)
    positions = found.fill_null(UNSEEN - FIRST_CODE).to_numpy(zero_copy_only=False)
    codes = np.asarray(positions, dtype=np.int64) + FIRST_CODE
    codes[values.is_null().to_numpy(zero_copy_only=False)] = NULL
    return codes


def encode_target(column: pa.ChunkedArray | pa.Array, target: Target) -> NDArray[np.int64]:
    """Return each row's class as its position in `target.classes`, int64 [N].

    Raises:
        DataError: A value is null or is none of the classes, which are those of the training split.
    """
    array = one_array(column)
    found = pc.index_in(array, value_set=pa.array(target.classes, type=array.type))
    if found.null_count:
        strange = array.filter(found.is_null()).unique().slice(0, 5).to_pylist()
        raise DataError(
            f"target {target.column}: {strange} are no classes of the training split, {list(target.classes)}\n"
            "  do: leave such rows out of the source, or take another split so that every class occurs in training"
        )
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def run_transform(
    clean: DatasetRef, split: SplitRef, preprocessing: PreprocessingRef, home: Path, dask: DaskConfig
) -> DatasetRef:
    """Write the features of every row that has a split: one set of files for each split, in row order.

    Returns:
        A dataset whose partitions carry their split: a float32 column for each numeric feature and an int32 column for
        each categorical one, by the features' names, and the int64 column `target`.

    Raises:
        DataError: A target is no class of the training split.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    constants = read_preprocessing(preprocessing)
    partitions = read_manifest(clean).partitions
    with new_folder(home / DATASETS, manifest_digest) as folder:
        work = partial(_transform_partition, clean=clean, split=split, constants=constants, folder=folder)
        with open_client(dask) as client:
            written = map_partitions(client, work, list(enumerate(partitions)), label="transform")
        manifest = Manifest(
            columns=_feature_types(constants),
            partitions=tuple(
                file.partition for name in SPLITS for files in written for file in files if file.partition.split == name
            ),
            digests={file.partition.path: file.digest for files in written for file in files},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def _feature_types(constants: Preprocessing) -> dict[str, str]:
    types = {feature.name: "float" for feature in constants.numeric}
    types |= {feature.name: "int32" for feature in constants.categorical}
    return types | {TARGET: "int64"}


def _transform_partition(
    numbered: tuple[int, Partition], *, clean: DatasetRef, split: SplitRef, constants: Preprocessing, folder: Path
) -> list[WrittenPartition]:
    """Write the features of one partition, a file for each split that has rows in it."""
    index, partition = numbered
    target = constants.target
    table = read_partition(Path(clean.path), partition, list(dict.fromkeys([*constants.columns, target.column])))
    codes = read_codes(split, index)
    written = []
    for name in SPLITS:
        rows = table.filter(pa.array(codes == SPLITS.index(name)))
        if rows.num_rows:
            features = _as_table(transform(rows, constants), encode_target(rows[target.column], target), constants)
            written.append(write_partition(folder, f"{name}/{part_name(index)}", features, name))
    return written


def _as_table(features: Features, target: NDArray[np.int64], constants: Preprocessing) -> pa.Table:
    columns: dict[str, Any] = {
        feature.name: np.ascontiguousarray(features.numeric[:, index])
        for index, feature in enumerate(constants.numeric)
    }
    for index, category in enumerate(constants.categorical):
        columns[category.name] = features.categorical[:, index].astype(np.int32)
    return pa.table(columns | {TARGET: target})


def read_features(
    features: DatasetRef, preprocessing: PreprocessingRef, split: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Read one split's features into memory.

    Returns:
        numeric float32 [N, D], categorical int64 [N, K] and target int64 [N], in row order.
    """
    constants = read_preprocessing(preprocessing)
    partitions = read_manifest(features).of_split(split)
    rows = sum(partition.rows for partition in partitions)
    numeric = np.empty((rows, len(constants.numeric)), dtype=np.float32)
    categorical = np.empty((rows, len(constants.categorical)), dtype=np.int64)
    target = np.empty(rows, dtype=np.int64)
    start = 0
    for partition in partitions:
        table = read_partition(Path(features.path), partition)
        stop = start + table.num_rows
        for index, feature in enumerate(constants.numeric):
            numeric[start:stop, index] = table[feature.name].to_numpy()
        for index, category in enumerate(constants.categorical):
            categorical[start:stop, index] = table[category.name].to_numpy()
        target[start:stop] = table[TARGET].to_numpy()
        start = stop
    return numeric, categorical, target

"""The one pure pass that turns typed rows into features, and the task that runs it over a dataset.

The exported graph repeats this arithmetic: float64 until one rounding to float32 at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
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
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.finish import OutOfFold, Repairs, code_type, codes_of, finished_columns, row_outliers
from tasks.preprocessing.fit import read_out_of_fold, read_preprocessing
from tasks.preprocessing.joint import folds_of
from tasks.preprocessing.options import N_CLIPPED, N_IMPUTED
from tasks.preprocessing.raw_rows import Places, RawRows, read_as_it_stands
from tasks.preprocessing.target_values import (
    empty_target,
    require_known,
    stored_target,
    stored_types,
    target_values,
)
from tasks.references import DatasetRef, PreprocessingRef, SplitRef
from tasks.storage import digest_file, new_folder, write_json

QUARANTINE = "quarantine.json"


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
    """Turn typed rows into features, as the exported graph does.

    Args:
        table: Rows with at least `preprocessing.columns`, typed as `data_contracts.parsing.parse_table` leaves them;
            text may be plain or a dictionary.
        preprocessing: The fitted constants.
    """
    rows = RawRows(table)
    numeric = np.empty((len(rows), len(preprocessing.numeric)), dtype=np.float32)
    for index, column in enumerate(finished_columns(preprocessing, rows).values()):
        numeric[:, index] = column
    categorical = np.empty((len(rows), len(preprocessing.categorical)), dtype=np.int64)
    for index, feature in enumerate(preprocessing.categorical):
        categorical[:, index] = codes_of(feature, rows)
    return Features(numeric, categorical)


def run_transform(
    clean: DatasetRef, split: SplitRef, preprocessing: PreprocessingRef, home: Path, dask: DaskConfig
) -> DatasetRef:
    """Write the features of every row that has a split: one set of files for each split, in row order.

    Rows that the outlier options quarantine are left out of the training split; `quarantine.json` beside the manifest
    says how many, and by which column.

    Returns:
        A dataset whose partitions carry their split: by the features' names a float32 column for each numeric feature
        and an integer column for each categorical one (the smallest type that holds its codes), the
        target's columns (`tasks.preprocessing.target_values.TargetValues`), the kept raw columns, and with
        `count_repairs` the int16 columns `n_imputed` and `n_clipped`.

    Raises:
        DataError: A target is no class of the training split, or no finite number.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    constants = read_preprocessing(preprocessing)
    source = read_manifest(clean)
    with new_folder(home / DATASETS, manifest_digest) as folder:
        work = _Transformer(clean, split, constants, read_out_of_fold(preprocessing), folder)
        with open_client(dask) as client:
            done = map_partitions(client, work.write, list(enumerate(source.partitions)), label="transform")
        files = [file for name in SPLITS for part in done for file in part.files if file.partition.split == name]
        digests = {file.partition.path: file.digest for part in done for file in part.files}
        if constants.quarantine or (constants.forest is not None and constants.forest.action == "quarantine"):
            write_json(folder / QUARANTINE, _total([part.left_out for part in done]))
            digests[QUARANTINE] = digest_file(folder / QUARANTINE)
        manifest = Manifest(
            columns=_feature_types(constants, source.columns),
            partitions=tuple(file.partition for file in files),
            digests=digests,
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def _feature_types(constants: Preprocessing, raw: Mapping[str, str]) -> dict[str, str]:
    types = {feature.name: "float" for feature in constants.numeric}
    types |= {feature.name: np.dtype(code_type(feature)).name for feature in constants.categorical}
    types |= stored_types(constants.target) | {name: raw[name] for name in constants.keep}
    return types | (dict.fromkeys([N_IMPUTED, N_CLIPPED], "int16") if constants.count_repairs else {})


def _total(left_out: list[dict[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for each in left_out for name in each)
    return {name: sum(each[name] for each in left_out) for name in names}


@dataclass(frozen=True)
class _Done:
    """The files of one partition, and how many training rows were left out: `rows`, and by reason."""

    files: tuple[WrittenPartition, ...]
    left_out: dict[str, int]


@dataclass(frozen=True)
class _Transformer:
    """Writes the features of one partition, a file for each split that has rows in it."""

    clean: DatasetRef
    split: SplitRef
    constants: Preprocessing
    out_of_fold: Mapping[str, NDArray[np.float64]]
    folder: Path

    def write(self, numbered: tuple[int, Partition]) -> _Done:
        """Write the features of one partition."""
        index, partition = numbered
        constants, target = self.constants, self.constants.target
        names = list(dict.fromkeys([*constants.columns, *target.columns, *constants.keep]))
        table, kept = read_as_it_stands(self.clean.folder, partition, names)
        codes = np.full(table.num_rows, len(SPLITS), dtype=np.uint8)
        codes[kept] = read_codes(self.split, index)
        rows, repairs = RawRows(table), Repairs(table.num_rows) if constants.count_repairs else None
        train = codes == SPLITS.index("train")
        columns: dict[str, Any] = finished_columns(constants, rows, repairs, self._folds(index, train, kept))
        left_out, reasons = self._quarantined(rows, columns, train)
        for feature in constants.categorical:
            columns[feature.name] = codes_of(feature, rows)
        learnt = target_values(rows, target)
        require_known(rows, target, ~learnt.known & (codes < len(SPLITS)))
        columns |= learnt.columns
        columns |= {name: _kept(rows.array(name)) for name in constants.keep}
        if repairs is not None:
            columns |= {N_IMPUTED: repairs.imputed, N_CLIPPED: repairs.clipped}
        codes[left_out] = len(SPLITS)
        # Split by split, in row order within each; the rows without one are last.
        places, rows_of = np.argsort(codes, kind="stable"), np.bincount(codes, minlength=len(SPLITS))
        for name, column in columns.items():
            columns[name] = column.take(pa.array(places) if isinstance(column, pa.Array) else places)
        ordered, files, start = pa.table(columns), [], 0
        for name, count in zip(SPLITS, rows_of.tolist(), strict=False):
            if count:
                path = f"{name}/{part_name(index, f'.{constants.format}')}"
                files.append(write_partition(self.folder, path, ordered.slice(start, count), name))
            start += count
        return _Done(tuple(files), reasons)

    def _folds(self, index: int, train: NDArray[np.bool_], kept: Places) -> dict[str, OutOfFold]:
        found = {}
        for name, values in self.out_of_fold.items():
            folds = np.zeros(len(train), dtype=np.uint64)
            folds[kept] = folds_of(index, len(kept), len(values))
            found[name] = OutOfFold(values, folds, train)
        return found

    def _quarantined(
        self, rows: RawRows, columns: Mapping[str, NDArray[np.float32]], train: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], dict[str, int]]:
        """Return which training rows are left out, bool [N], and how many: together, and for each reason."""
        left_out, reasons = np.zeros(len(rows), dtype=np.bool_), {}
        for bounds in self.constants.quarantine:
            x = rows.numbers(bounds.column)
            beyond = train & ((x < bounds.lower) | (x > bounds.upper))
            left_out |= beyond
            reasons[bounds.column] = int(beyond.sum())
        forest = self.constants.forest
        if forest is not None and forest.action == "quarantine":
            beyond = train & row_outliers(self.constants, columns, len(rows))
            left_out |= beyond
            reasons["isolation_forest"] = int(beyond.sum())
        return left_out, {"rows": int(left_out.sum()), **reasons}


def _kept(array: pa.Array) -> Any:
    """Return a kept column as numpy where that loses nothing, which is faster to choose rows from."""
    plain = pa.types.is_integer(array.type) or pa.types.is_floating(array.type)
    return array.to_numpy() if plain and not array.null_count else array


def read_features(
    features: DatasetRef, preprocessing: PreprocessingRef, split: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[Any]]:
    """Read one split's features into memory; other columns of the dataset stay unread.

    Returns:
        numeric float32 [N, D], categorical int64 [N, K] and the target, in row order: int64 [N] of classes, float32
        [N, L] of labels (0 or 1), or float64 [N], the standardized number.
    """
    constants = read_preprocessing(preprocessing)
    partitions = read_manifest(features).of_split(split)
    rows = sum(partition.rows for partition in partitions)
    numeric = np.empty((rows, len(constants.numeric)), dtype=np.float32)
    categorical = np.empty((rows, len(constants.categorical)), dtype=np.int64)
    target = empty_target(rows, constants.target)
    names = [*(each.name for each in constants.numeric), *(each.name for each in constants.categorical)]
    start = 0
    for partition in partitions:
        table = read_partition(features.folder, partition, [*names, *constants.target.stored])
        stop = start + table.num_rows
        for index, feature in enumerate(constants.numeric):
            numeric[start:stop, index] = table[feature.name].to_numpy()
        for index, category in enumerate(constants.categorical):
            categorical[start:stop, index] = table[category.name].to_numpy()
        target[start:stop] = stored_target(table, constants.target)
        start = stop
    return numeric, categorical, target

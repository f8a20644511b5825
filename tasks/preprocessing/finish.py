"""From raw rows to finished columns: every feature of fitted constants, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.preprocessing.calendar import cycle
from tasks.preprocessing.chained import predict_missing
from tasks.preprocessing.constants import (
    FIRST_CODE,
    UNSEEN,
    CategoricalFeature,
    Encoding,
    NumericFeature,
    Preprocessing,
)
from tasks.preprocessing.forest import path_lengths
from tasks.preprocessing.numbers import finished, missing_of, outside, settled
from tasks.preprocessing.raw_rows import RawRows

Singles = NDArray[np.float32]


@dataclass(frozen=True)
class OutOfFold:
    """What a training row takes in place of an encoding's values.

    Attributes:
        values: float64 [folds, outputs, codes].
        fold: Each row's fold, [N].
        train: Whether each row is a training row, bool [N]; the others take the encoding's own values.
    """

    values: NDArray[np.float64]
    fold: NDArray[np.uint64]
    train: NDArray[np.bool_]


class Repairs:
    """Counts, for each row, its numeric columns that were missing and those outside their bounds, int16 [N]."""

    def __init__(self, rows: int) -> None:
        self.imputed = np.zeros(rows, dtype=np.int16)
        self.clipped = np.zeros(rows, dtype=np.int16)

    def add(self, feature: NumericFeature, x: NDArray[np.float64], missing: NDArray[np.bool_]) -> None:
        """Count one feature; calendar parts are not counted."""
        if feature.part is not None:
            return
        self.imputed += missing
        if feature.outside == "clip":
            self.clipped += outside(feature, x)


def finished_columns(
    preprocessing: Preprocessing,
    rows: RawRows,
    repairs: Repairs | None = None,
    out_of_fold: Mapping[str, OutOfFold] | None = None,
) -> dict[str, Singles]:
    """Return the columns of the float32 matrix by name, in order, float32 [N] each.

    Args:
        preprocessing: The fitted constants.
        rows: The raw rows.
        repairs: Counts what was filled and clipped.
        out_of_fold: By encoding, for rows that the encoding was fitted on.
    """
    numbers = _finished_numbers(preprocessing, rows, repairs)
    encoded: dict[str, Singles] = {}
    for encoding in preprocessing.encodings:
        encoded |= _encoded(encoding, rows, (out_of_fold or {}).get(encoding.category.name))
    columns: dict[str, Singles] = {}
    for feature in preprocessing.numeric:
        if feature.kind == "number":
            columns[feature.name] = numbers[feature.name]
        elif feature.kind == "encoded":
            columns[feature.name] = encoded[feature.name]
        elif feature.kind == "row_outlier":
            columns[feature.name] = row_outliers(preprocessing, numbers, len(rows)).astype(np.float32)
        else:
            columns[feature.name] = _derived(feature, rows)
    return columns


def finished_matrix(preprocessing: Preprocessing, rows: RawRows) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Return the features that rows are judged by, and their columns as float32 [N, features]."""
    names = tuple(each.name for each in preprocessing.numeric if each.kind == "number" and each.part is None)
    only = preprocessing.model_copy(
        update={"numeric": tuple(each for each in preprocessing.numeric if each.name in names)}
    )
    found = _finished_numbers(only, rows, None)
    return names, np.stack([found[name] for name in names], axis=1)


def row_outliers(preprocessing: Preprocessing, finished_by_name: Mapping[str, Singles], rows: int) -> NDArray[np.bool_]:
    """Return the rows that the forest calls outliers, bool [N]; none without a forest."""
    forest = preprocessing.forest
    if forest is None:
        return np.zeros(rows, dtype=np.bool_)
    matrix = np.stack([finished_by_name[name] for name in forest.features], axis=1)
    return path_lengths(forest, matrix) < forest.threshold


def _finished_numbers(preprocessing: Preprocessing, rows: RawRows, repairs: Repairs | None) -> dict[str, Singles]:
    numbers = {each.name: each for each in preprocessing.numeric if each.kind == "number"}
    predicted = {} if preprocessing.chain is None else predict_missing(preprocessing.chain, numbers, rows)
    found, scratch = {}, np.empty(len(rows))
    for name, feature in numbers.items():
        x = rows.numbers(feature.column, feature.part)
        clipped, missing = settled(feature, x, predicted.get(name), scratch)
        if repairs is not None:
            repairs.add(feature, x, missing)
        found[name] = finished(feature, clipped)
    return found


def _derived(feature: NumericFeature, rows: RawRows) -> Singles:
    x = rows.numbers(feature.column, feature.part)
    if feature.kind == "is_null":
        return missing_of(feature, x).astype(np.float32)
    if feature.kind == "is_outlier":
        return outside(feature, x).astype(np.float32)
    assert feature.part is not None, feature.name
    first, sines, cosines = cycle(feature.part)
    table = np.append(sines if feature.kind == "sine" else cosines, 0.0).astype(np.float32)
    return table[np.where(np.isnan(x), len(sines), x - first).astype(np.intp)]


def codes_of(feature: CategoricalFeature, rows: RawRows) -> NDArray[Any]:
    """Return the codes of a category in the smallest integer type that holds them, [N]."""
    found = rows.categories(feature.column, feature.part)
    vocabulary = pa.array(feature.vocabulary, type=pa.string()).cast(found.values.type)
    places = pc.index_in(found.values, value_set=vocabulary).fill_null(UNSEEN - FIRST_CODE)
    codes = np.append(places.to_numpy(zero_copy_only=False) + FIRST_CODE, feature.null_code)
    return codes.astype(code_type(feature)).take(found.positions)


def code_type(feature: CategoricalFeature) -> type[np.signedinteger[Any]]:
    """Return the smallest integer type that holds every code of a category."""
    most = feature.cardinality - 1
    return next(kind for kind in (np.int8, np.int16, np.int32) if most <= np.iinfo(kind).max)


def _encoded(encoding: Encoding, rows: RawRows, out_of_fold: OutOfFold | None) -> dict[str, Singles]:
    codes = codes_of(encoding.category, rows)
    if encoding.positions:
        hot = np.array(encoding.positions, dtype=np.int32)[codes]
        return {name: (hot == output).astype(np.float32) for output, name in enumerate(encoding.outputs)}
    found = {}
    for output, name in enumerate(encoding.outputs):
        values = np.array(encoding.values[output])[codes]
        if out_of_fold is not None:
            values = np.where(out_of_fold.train, out_of_fold.values[out_of_fold.fold, output, codes], values)
        found[name] = values.astype(np.float32)
    return found

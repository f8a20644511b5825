"""Training rows as tables that know their parents, and as the matrices that methods work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.augmentation.classes import groups
from tasks.augmentation.noise import Noise
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.targets import TARGET

PARENT, PARENT_2, AUGMENTED = "_parent", "_parent_2", "_augmented"


@dataclass(frozen=True)
class Matrices:
    """Features of N rows.

    Attributes:
        numeric: float32 [N, D].
        codes: int64 [N, K].
        target: int64 [N], the class; 0 in a problem without classes.
    """

    numeric: NDArray[np.float32]
    codes: NDArray[np.int64]
    target: NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table, constants: Preprocessing) -> Matrices:
        """Take the features out of a table; each matrix is the caller's own to change."""
        numeric = np.empty((table.num_rows, len(constants.numeric)), dtype=np.float32)
        for index, feature in enumerate(constants.numeric):
            numeric[:, index] = table[feature.name].to_numpy()
        codes = np.empty((table.num_rows, len(constants.categorical)), dtype=np.int64)
        for index, category in enumerate(constants.categorical):
            codes[:, index] = table[category.name].to_numpy()
        return cls(numeric, codes, groups(table, constants.target))

    def by_name(self, constants: Preprocessing) -> dict[str, NDArray[Any]]:
        """Return the features by their names."""
        columns: dict[str, NDArray[Any]] = {
            feature.name: self.numeric[:, index] for index, feature in enumerate(constants.numeric)
        }
        return columns | {category.name: self.codes[:, index] for index, category in enumerate(constants.categorical)}

    def as_table(self, schema: pa.Schema, constants: Preprocessing) -> pa.Table:
        """Return a table of a schema, its target classes; null in columns that no new row has a value for."""
        columns = self.by_name(constants) | {TARGET: self.target}
        arrays = [
            pa.array(np.ascontiguousarray(columns[field.name])).cast(field.type)
            if field.name in columns
            else pa.nulls(len(self.target), field.type)
            for field in schema
        ]
        return pa.table(arrays, schema=schema)


def with_parents(
    table: pa.Table, parent: NDArray[np.int64], second: NDArray[np.int64] | None, augmented: NDArray[np.bool_]
) -> pa.Table:
    """Add the columns that say where each row comes from.

    Args:
        table: N rows of features.
        parent: int64 [N], positions in the training split before augmentation.
        second: int64 [N], the other parents of interpolated rows; None where there are none, which is stored as -1.
        augmented: bool [N], false for the rows that were there before.
    """
    second = np.full_like(parent, -1) if second is None else second
    added = {PARENT: pa.array(parent), PARENT_2: pa.array(second), AUGMENTED: pa.array(augmented)}
    for name, column in added.items():
        table = table.append_column(name, column)
    return table


def noisy_copy(table: pa.Table, constants: Preprocessing, noise: Noise, generator: np.random.Generator) -> pa.Table:
    """Return a table with parents as augmented rows with noisy features and the same parents."""
    found = Matrices.of(table, constants)
    noise.disturb(found.numeric, found.codes, generator)
    values = found.by_name(constants) | {AUGMENTED: np.ones(table.num_rows, dtype=bool)}
    for name, column in values.items():
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array(np.ascontiguousarray(column)).cast(field.type))
    return table

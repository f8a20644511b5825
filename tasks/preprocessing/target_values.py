"""Each row's target as models learn it: from raw rows to the features dataset, and from there to arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.errors import DataError
from tasks.preprocessing.columns import Categories
from tasks.preprocessing.raw_rows import RawRows
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target


@dataclass(frozen=True)
class TargetValues:
    """The target of N rows.

    Attributes:
        columns: By the names in the features dataset (`Target.stored`): int64 [N] of classes, -1 for none; float32 [N]
            of 0 and 1 for each label; float64 [N] of the standardized number. What stands in a row that is not known
            means nothing.
        known: bool [N], whether the row has a target that the training split allows.
    """

    columns: dict[str, NDArray[Any]]
    known: NDArray[np.bool_]


def target_values(rows: RawRows, target: Target) -> TargetValues:
    """Return the target of raw rows."""
    if isinstance(target, ClassTarget):
        found = rows.categories(target.column)
        classes = classes_of(found, target)[found.positions]
        return TargetValues({target.stored[0]: classes}, classes >= 0)
    if isinstance(target, NumberTarget):
        scaled = standardized(rows.numbers(target.column), target)
        return TargetValues({target.stored[0]: scaled}, np.isfinite(scaled))
    columns, known = {}, np.ones(len(rows), dtype=np.bool_)
    for name, label in zip(target.stored, target.labels, strict=True):
        truth = rows.numbers(label)
        known &= ~np.isnan(truth)
        columns[name] = truth.astype(np.float32)
    return TargetValues(columns, known)


def standardized(values: NDArray[np.float64], target: NumberTarget) -> NDArray[np.float64]:
    """Return numbers as models learn them, float64 [N]."""
    return (values - target.center) / target.spread


def require_known(rows: RawRows, target: Target, unknown: NDArray[np.bool_]) -> None:
    """Refuse rows that are in a split and whose target is not known.

    Args:
        rows: The raw rows.
        target: The fitted target.
        unknown: bool [N], the rows.

    Raises:
        DataError: There are some; the message names their values.
    """
    if not unknown.any():
        return
    if isinstance(target, ClassTarget):
        _require_classes(rows.categories(target.column), ~unknown, target)
    name = target.columns[0]
    if isinstance(target, LabelsTarget):
        name = next(each for each in target.labels if np.isnan(rows.numbers(each)[unknown]).any())
    strange = rows.numbers(name)[unknown][:5].tolist()
    raise DataError(
        f"target {name}: {int(unknown.sum())} rows of a split have {strange}; expected "
        f"{'true or false' if isinstance(target, LabelsTarget) else 'finite numbers'}\n"
        "  do: leave such rows out of the source, or give the column a minimum and a maximum in the contract"
    )


def stored_target(table: pa.Table, target: Target) -> NDArray[Any]:
    """Return the target of rows of a features dataset: int64 [N], float32 [N, L] of labels, or float64 [N]."""
    columns = [table[name].to_numpy() for name in target.stored]
    return np.stack(columns, axis=1) if isinstance(target, LabelsTarget) else columns[0]


def empty_target(rows: int, target: Target) -> NDArray[Any]:
    """Return an array for the target of so many rows, as `stored_target` has it."""
    if isinstance(target, LabelsTarget):
        return np.empty((rows, len(target.labels)), dtype=np.float32)
    return np.empty(rows, dtype=np.int64 if isinstance(target, ClassTarget) else np.float64)


def stored_types(target: Target) -> dict[str, str]:
    """Return the Arrow types of the target's columns in a features dataset, by name."""
    word = {"classes": "int64", "labels": "float", "number": "double"}[target.kind]
    return dict.fromkeys(target.stored, word)


def classes_of(found: Categories, target: ClassTarget) -> NDArray[np.int64]:
    """Return the class of each value, -1 for none, and -1 for null at the end."""
    known = pa.array(target.classes).cast(found.values.type)
    places = pc.index_in(found.values, value_set=known).fill_null(-1).to_numpy(zero_copy_only=False)
    return np.append(places, -1).astype(np.int64)


def _require_classes(found: Categories, known: NDArray[np.bool_], target: ClassTarget) -> None:
    places = np.unique(found.positions[~known])[:5].tolist()
    strange = [found.values[place].as_py() if place < len(found.values) else None for place in places]
    raise DataError(
        f"target {target.column}: {strange} are no classes of the training split, which has {len(target.classes)}: "
        f"{', '.join(map(repr, target.classes[:5]))}{', ...' if len(target.classes) > 5 else ''}\n"
        "  do: leave such rows out of the source, or take another split so that every class occurs in training"
    )

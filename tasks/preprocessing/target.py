"""The target: its classes as fitted, and each row's class as a number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_contracts.contract import Column
from tasks.errors import ConfigError, DataError, TrainingError
from tasks.preprocessing.columns import Categories, categories
from tasks.preprocessing.constants import Target
from tasks.preprocessing.statistics import CategorySummary, Summaries

MAX_CLASSES = 1_000


def fit_target(column: Column, summaries: Summaries) -> Target:
    """Return the target with the classes of the training split.

    Raises:
        ConfigError: The column's type has no classes.
        TrainingError: There is one class, or there are too many to be classes.
    """
    source = column.logical_type
    if source not in {"string", "integer", "boolean"}:
        raise ConfigError(
            f"preprocess.target: `{column.name}` is of type {source}; classes are strings, integers or booleans\n"
            "  do: name another target, or add a column of classes to the data"
        )
    summary = summaries[column.name]
    assert isinstance(summary, CategorySummary)
    found = summary.values.to_pylist()
    if len(found) < 2:
        raise TrainingError(
            f"target {column.name}: the training split has {f'one class, `{found[0]}`' if found else 'no class'} "
            f"in {summary.rows} rows; there is nothing to tell apart\n"
            "  do: give data with at least two classes, or another split"
        )
    if len(found) > MAX_CLASSES:
        raise TrainingError(
            f"target {column.name}: {len(found)} classes in the training split, at most {MAX_CLASSES} make sense\n"
            "  do: name another target, or group its values"
        )
    if source == "string":
        return Target(column=column.name, source="string", classes=tuple(found))
    numbers = sorted(int(value) for value in found)
    if source == "boolean":
        return Target(column=column.name, source="boolean", classes=tuple(bool(number) for number in numbers))
    return Target(column=column.name, source="integer", classes=tuple(numbers))


def encode_target(column: pa.ChunkedArray | pa.Array, target: Target) -> NDArray[np.int64]:
    """Return each row's class as its position in `target.classes`, int64 [N].

    Raises:
        DataError: A value is null or is none of the classes, which are those of the training split.
    """
    found = categories(column)
    classes = np.asarray(classes_of(found, target)[found.positions])
    require_classes(found, classes >= 0, target)
    return classes


def classes_of(found: Categories, target: Target) -> NDArray[np.int64]:
    """Return the class of each value, -1 for none, and -1 for null at the end."""
    known = pa.array(target.classes).cast(found.values.type)
    places = pc.index_in(found.values, value_set=known).fill_null(-1).to_numpy(zero_copy_only=False)
    return np.append(places, -1).astype(np.int64)


def require_classes(found: Categories, known: NDArray[np.bool_], target: Target) -> None:
    """Refuse rows that are not known to have a class.

    Raises:
        DataError: There are some; the message names their values.
    """
    if known.all():
        return
    places = np.unique(found.positions[~known])[:5].tolist()
    strange = [found.values[place].as_py() if place < len(found.values) else None for place in places]
    raise DataError(
        f"target {target.column}: {strange} are no classes of the training split, {list(target.classes)}\n"
        "  do: leave such rows out of the source, or take another split so that every class occurs in training"
    )

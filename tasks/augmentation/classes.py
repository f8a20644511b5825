"""Numbers given by class in a config: names as a person writes them in YAML, found among the fitted classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from data_contracts.contract import Column
from tasks.errors import ConfigError
from tasks.preprocessing.target_values import stored_target
from tasks.preprocessing.targets import ClassTarget, Target


def class_text(value: str | int) -> str:
    """Return a class as a config names it: `true` and `false`, decimal digits, or the string itself."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def class_names(target: ClassTarget) -> list[str]:
    """Return the names of a target's classes, in their order."""
    classes: tuple[str | int, ...] = target.classes
    return [class_text(value) for value in classes]


def group_names(target: Target) -> list[str]:
    """Return the names that rows are counted by: the classes, or `all` of a problem without classes."""
    return class_names(target) if isinstance(target, ClassTarget) else ["all"]


def groups(table: pa.Table, target: Target) -> NDArray[np.int64]:
    """Return the place of each row of a features dataset among `group_names`, int64 [N]."""
    if isinstance(target, ClassTarget):
        return np.asarray(stored_target(table, target))
    return np.zeros(table.num_rows, dtype=np.int64)


def _texts(given: Any) -> Any:
    # YAML reads the keys `true` and `3` as a boolean and an integer.
    return {class_text(name): number for name, number in given.items()} if isinstance(given, Mapping) else given


ByClass = Annotated[Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]], BeforeValidator(_texts)]


def by_index(given: Mapping[str, float], target: ClassTarget, key: str) -> dict[int, float]:
    """Return the numbers by the classes' places in `target.classes`.

    Args:
        given: The numbers by the classes' names.
        target: The fitted target.
        key: The config's key, for the message.

    Raises:
        ConfigError: A name is no class of the training split.
    """
    places = {name: place for place, name in enumerate(class_names(target))}
    for name in given:
        if name not in places:
            known = ", ".join(list(places)[:5]) + (", ..." if len(places) > 5 else "")
            raise ConfigError(
                f"{key}: `{name}` is no class of `{target.column}` in the training split; its {len(places)} classes "
                f"are {known}\n  do: name the classes as the data does, or leave the name out"
            )
    return {places[name]: number for name, number in given.items()}


def require_possible_classes(given: Mapping[str, float], column: Column, key: str) -> None:
    """Check, before any data is read, that names can be classes of a column of its type.

    Raises:
        ConfigError: A name cannot be: `yes` for a boolean, `high` for an integer.
    """
    for name in given:
        if column.logical_type == "boolean" and name not in {"true", "false"}:
            raise ConfigError(f"{key}: `{name}` is no class of the boolean `{column.name}`\n  do: write true or false")
        if column.logical_type == "integer" and not name.removeprefix("-").isdecimal():
            raise ConfigError(f"{key}: `{name}` is no class of the integer `{column.name}`\n  do: write whole numbers")

"""Which statistics are taken of which raw columns, and what each is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from data_contracts.contract import Column, Contract, LogicalType
from tasks.data.schema import known_column
from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.constants import CalendarPart, Source

Role = Literal["feature", "reference", "target"]

_SOURCES: dict[LogicalType, Source] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "timestamp",
    "timestamp": "timestamp",
}
_WITHIN_DAY: frozenset[CalendarPart] = frozenset({"hour", "minute_of_day"})


@dataclass(frozen=True)
class Measure:
    """One series of values to summarise: a raw column, or a calendar part of one.

    Attributes:
        role: `feature` becomes features and is described in the reference too (unless it is a part), `reference` is
            only described (instants), `target` gives the classes.
    """

    column: Column
    kind: Literal["numeric", "category"]
    role: Role = "feature"
    part: CalendarPart | None = None

    @property
    def name(self) -> str:
        """The feature's name: the column's, with the part behind it."""
        return self.column.name if self.part is None else f"{self.column.name}_{self.part}"

    @property
    def source(self) -> Source:
        """The word of the constants for the column's type."""
        return _SOURCES[self.column.logical_type]


def feature_columns(
    contract: Contract, target: str, include: Sequence[str] | None, exclude: Sequence[str]
) -> list[Column]:
    """Return the raw columns to make features of, in the contract's order.

    Raises:
        ConfigError: A name is not in the contract, or the target is among the included columns.
        TrainingError: No column is left.
    """
    known_column("preprocess.target", target, contract)
    for key, names in (("include", include or ()), ("exclude", exclude)):
        for name in names:
            known_column(f"preprocess.{key}", name, contract)
    if include is not None and target in include:
        raise ConfigError(
            f"preprocess.include: `{target}` is the target; a model that is told the answer learns nothing"
        )
    left = [
        column
        for column in contract.columns
        if column.name != target and column.name not in exclude and (include is None or column.name in include)
    ]
    if not left:
        raise TrainingError(
            f"contract {contract.name}: no column is left to make features of\n"
            "  do: list fewer columns in preprocess.exclude, or more in preprocess.include"
        )
    return left


def plan_measures(
    columns: Sequence[Column],
    target: Column,
    categorical: Sequence[str],
    calendar_numeric: Sequence[CalendarPart],
    calendar_categorical: Sequence[CalendarPart],
) -> list[Measure]:
    """Decide what is summarised, in the order of the features.

    Args:
        columns: The raw columns to make features of.
        target: The column to predict.
        categorical: Names of those whose values are names, not amounts.
        calendar_numeric: Parts of instants that become numeric features.
        calendar_categorical: Parts of instants that become categories.

    Raises:
        ConfigError: A column cannot be categorical, or two features would have the same name.
    """
    measures: list[Measure] = []
    for column in columns:
        if column.logical_type in {"date", "timestamp"}:
            parts = [Measure(column, "numeric", part=part) for part in calendar_numeric]
            parts += [Measure(column, "category", part=part) for part in calendar_categorical]
            measures.append(Measure(column, "numeric", "reference"))
            measures += [each for each in parts if column.logical_type == "timestamp" or each.part not in _WITHIN_DAY]
        elif column.logical_type == "string" or column.name in categorical:
            measures.append(Measure(column, "category"))
        else:
            measures.append(Measure(column, "numeric"))
    _require_categories(columns, categorical)
    _require_distinct([measure.name for measure in measures if measure.role == "feature"])
    return [*measures, Measure(target, "category", "target")]


def _require_categories(columns: Sequence[Column], categorical: Sequence[str]) -> None:
    types = {column.name: column.logical_type for column in columns}
    for name in categorical:
        if name not in types:
            raise ConfigError(f"preprocess.categorical: `{name}` is no feature; the columns are {', '.join(types)}")
        if types[name] not in {"string", "integer", "boolean"}:
            raise ConfigError(
                f"preprocess.categorical: `{name}` is of type {types[name]}; expected string, integer or boolean\n"
                "  do: leave it out of the list, or declare it an integer or a string in the contract"
            )


def _require_distinct(names: Sequence[str]) -> None:
    reserved = {"target"}
    for name in names:
        if name in reserved:
            raise ConfigError(
                f"preprocess: two features, or a feature and the target's column, would be named `{name}`\n"
                "  do: rename the raw column, or leave it out with preprocess.exclude"
            )
        reserved.add(name)

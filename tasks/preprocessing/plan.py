"""Which statistics are taken of which raw columns, and what each is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from data_contracts.contract import Column, Contract, LogicalType
from data_contracts.privacy import visible_columns
from tasks.data.schema import known_column, require_visible
from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.config import PreprocessConfig
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
INSTANTS: frozenset[LogicalType] = frozenset({"date", "timestamp"})
_WITHIN_DAY: frozenset[CalendarPart] = frozenset({"hour", "minute_of_day"})


@dataclass(frozen=True)
class Measure:
    """One series of values to make features of: a raw column, or a calendar part of one.

    All but `cyclic` ones are summarised.

    Attributes:
        role: `feature` becomes features and is described in the reference too (unless it is a part), `reference` is
            only described (instants), `target` gives the classes.
    """

    column: Column
    kind: Literal["numeric", "category", "cyclic"]
    role: Role = "feature"
    part: CalendarPart | None = None

    @property
    def name(self) -> str:
        """The feature's name: the column's, with the part behind it; `cyclic` parts give two, `_sin` and `_cos`."""
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
        ConfigError: A name is not in the contract or dropped for privacy, or the target is among the included columns.
        TrainingError: No column is left.
    """
    known_column("preprocess.target", target, contract)
    for key, names in (("include", include or ()), ("exclude", exclude)):
        for name in names:
            known_column(f"preprocess.{key}", name, contract)
    require_visible("preprocess.target", [target], contract)
    require_visible("preprocess.include", include or (), contract)
    if include is not None and target in include:
        raise ConfigError(
            f"preprocess.include: `{target}` is the target; a model that is told the answer learns nothing"
        )
    left = [
        column
        for column in visible_columns(contract)
        if column.name != target and column.name not in exclude and (include is None or column.name in include)
    ]
    if not left:
        raise TrainingError(
            f"contract {contract.name}: no column is left to make features of\n"
            "  do: list fewer columns in preprocess.exclude, or more in preprocess.include"
        )
    return left


def plan_measures(contract: Contract, config: PreprocessConfig) -> list[Measure]:
    """Decide what is summarised, in the order of the features; the target comes last.

    Raises:
        ConfigError: The config names a column that the contract lacks, a column cannot be categorical, or two features
            would have the same name.
        TrainingError: No column is left.
    """
    columns = feature_columns(contract, config.target, config.include, config.exclude)
    measures: list[Measure] = []
    for column in columns:
        if column.logical_type in INSTANTS:
            measures += _calendar_measures(column, config)
        elif column.logical_type == "string" or column.name in config.categorical:
            measures.append(Measure(column, "category"))
        else:
            measures.append(Measure(column, "numeric"))
    _require_categories(columns, config.categorical)
    _require_distinct([name for measure in measures if measure.role == "feature" for name in _names(measure)])
    return [*measures, Measure(contract.column(config.target), "category", "target")]


def _calendar_measures(column: Column, config: PreprocessConfig) -> list[Measure]:
    parts = [Measure(column, "numeric", part=part) for part in config.calendar_numeric]
    parts += [Measure(column, "category", part=part) for part in config.calendar_categorical]
    parts += [Measure(column, "cyclic", part=part) for part in config.calendar_cyclic]
    sensible = [each for each in parts if column.logical_type == "timestamp" or each.part not in _WITHIN_DAY]
    return [Measure(column, "numeric", "reference"), *sensible]


def _names(measure: Measure) -> list[str]:
    return [f"{measure.name}_sin", f"{measure.name}_cos"] if measure.kind == "cyclic" else [measure.name]


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

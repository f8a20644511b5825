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
from tasks.preprocessing.problem import require_target
from tasks.preprocessing.targets import TargetNames, raw_columns, stored_columns

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
            only described (instants), `target` is what is predicted, or one label of it.
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
    contract: Contract, target: TargetNames, include: Sequence[str] | None, exclude: Sequence[str]
) -> list[Column]:
    """Return the raw columns to make features of, in the contract's order.

    Raises:
        ConfigError: A name is not in the contract or dropped for privacy, or the target is among the included columns.
        TrainingError: No column is left.
    """
    targets = raw_columns(target)
    for name in targets:
        known_column("target", name, contract)
    for key, names in (("include", include or ()), ("exclude", exclude)):
        for name in names:
            known_column(f"preprocess.{key}", name, contract)
    require_visible("target", targets, contract)
    require_visible("preprocess.include", include or (), contract)
    told = [name for name in targets if name in (include or ())]
    if told:
        raise ConfigError(
            f"preprocess.include: `{told[0]}` is the target; a model that is told the answer learns nothing\n"
            "  do: take it out of preprocess.include"
        )
    left = [
        column
        for column in visible_columns(contract)
        if column.name not in targets and column.name not in exclude and (include is None or column.name in include)
    ]
    if not left:
        raise TrainingError(
            f"contract {contract.name}: no column is left to make features of\n"
            "  do: list fewer columns in preprocess.exclude, or more in preprocess.include"
        )
    return left


def plan_measures(contract: Contract, config: PreprocessConfig) -> list[Measure]:
    """Decide what is summarised, in the order of the features; the target's columns come last.

    Raises:
        ConfigError: The config names a column that the contract lacks, the problem does not fit the target's type, a
            column cannot be categorical, or two features would have the same name.
        TrainingError: No column is left.
    """
    kind = require_target(contract, config)
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
    names = [name for measure in measures if measure.role == "feature" for name in _names(measure)]
    _require_distinct(names, stored_columns(config.target))
    counted: Literal["numeric", "category"] = "numeric" if kind == "number" else "category"
    return [*measures, *(Measure(contract.column(name), counted, "target") for name in config.targets)]


def target_measures(measures: Sequence[Measure]) -> list[Measure]:
    """Return those of the target: one, or one for each label."""
    return [each for each in measures if each.role == "target"]


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


def _require_distinct(names: Sequence[str], target: Sequence[str]) -> None:
    reserved = set(target)
    for name in names:
        if name in reserved:
            raise ConfigError(
                f"preprocess: two features, or a feature and the target's column, would be named `{name}`\n"
                "  do: rename the raw column, or leave it out with preprocess.exclude"
            )
        reserved.add(name)

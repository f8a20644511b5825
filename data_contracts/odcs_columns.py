"""Compiling the properties of a contract: columns, row rules and key rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Column, KeyRule, LogicalType, RowRule, RowRuleKind
from data_contracts.errors import ContractError
from data_contracts.formats import DOCUMENTING_FORMATS, STRING_FORMATS
from data_contracts.instants import instant_pattern
from data_contracts.odcs_file import ContractFile, Location
from data_contracts.odcs_repairs import with_custom_properties
from data_contracts.scalars import arrow_values
from data_contracts.yaml_lines import nearest

_OPTIONS: Mapping[str, RowRuleKind] = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of",
    "pattern": "pattern",
    "minLength": "min_length",
    "maxLength": "max_length",
    "format": "format",
}
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_SUPPORTED = get_args(LogicalType)


def compile_column(file: ContractFile, place: Location, data: Mapping[str, Any]) -> Column:
    """Compile one property.

    Args:
        file: The contract.
        place: The property's location.
        data: The property.

    Raises:
        ContractError: Its type is not one of `LogicalType`, or one of its options or custom properties means nothing.
    """
    _require_plain(file, place, data)
    position = data.get("primaryKeyPosition", -1)
    key = bool(data.get("primaryKey"))
    column = Column(
        name=data["name"],
        logical_type=data["logicalType"],
        physical_type=data.get("physicalType"),
        required=bool(data.get("required")) or key,
        unique=bool(data.get("unique")),
        primary_key_position=max(0, position) if key else None,
        enum=tuple(entry["value"] for entry in data["enum"]) if "enum" in data else None,
        classification=data.get("classification"),
        description=data.get("description"),
        examples=tuple(data.get("examples") or ()),
        options=data.get("logicalTypeOptions") or {},
        line=file.yaml.line(place),
    )
    column = with_custom_properties(file, place, data, column)
    _check_values(file, place, column)
    return column


def compile_row_rules(file: ContractFile, place: Location, column: Column) -> list[RowRule]:
    """Compile a column's row rules, in the order in which they are tried: type, required, enum, options."""
    rules: list[RowRule] = []

    def add(kind: RowRuleKind, at: Location, argument: Any = None) -> None:
        line = file.yaml.line((*place, *at))
        rules.append(RowRule(id=f"{column.name}.{kind}", column=column.name, kind=kind, argument=argument, line=line))

    if column.logical_type != "string":
        add("type", ("logicalType",))
    if column.required:
        add("required", ("required",))
    if column.enum is not None:
        add("enum", ("enum",), column.enum)
    for option, kind in _OPTIONS.items():
        if option in column.options and not (option == "format" and _only_says(column)):
            add(kind, ("logicalTypeOptions", option), column.options[option])
    return rules


def compile_keys(file: ContractFile, place: Location, columns: list[Column]) -> list[KeyRule]:
    """Compile the primary key and the unique columns; a primary key of one column stands for its `unique` too."""
    keys = [column for column in columns if column.primary_key_position is not None]
    keys.sort(key=lambda column: column.primary_key_position or len(columns) + 1)
    rules = []
    if keys:
        names = tuple(column.name for column in keys)
        rules.append(KeyRule(id=f"{'+'.join(names)}.primary_key", columns=names, line=keys[0].line))
    for position, column in enumerate(columns):
        if column.unique and not (len(keys) == 1 and keys[0].name == column.name):
            line = file.yaml.line((*place, position, "unique"))
            rules.append(KeyRule(id=f"{column.name}.unique", columns=(column.name,), line=line))
    return rules


def require_pattern(file: ContractFile, place: Location, pattern: Any) -> None:
    """Require that a pattern is a regular expression that RE2 runs (in linear time, so no look-around).

    Raises:
        ContractError: It is not.
    """
    if not isinstance(pattern, str):
        raise file.error(place, f"pattern: expected text, got {pattern!r}", do="put the expression in quotes")
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        do = "write it without look-around and back-references: patterns are RE2 expressions"
        raise file.error(place, f"pattern {pattern!r} cannot be executed: {error}", do=do) from error


def _only_says(column: Column) -> bool:
    """Tell whether the format is no rule: how a date is written (parsing uses it), or a word for the reader."""
    return column.logical_type in {"date", "timestamp"} or column.options["format"] in DOCUMENTING_FORMATS


def _require_plain(file: ContractFile, place: Location, data: Mapping[str, Any]) -> None:
    name, kind = data["name"], data.get("logicalType")
    if kind not in _SUPPORTED:
        at = (*place, "logicalType") if kind else place
        do = "describe flat columns; flatten nested data before it comes in"
        raise file.error(at, f"column {name}: logicalType: expected one of {', '.join(_SUPPORTED)}; got {kind}", do=do)
    if data.get("semanticType") == "measure":
        what = f"column {name}: a measure is an aggregate, not a column of the data"
        raise file.error((*place, "semanticType"), what, do="leave measures out of the contract")
    if data.get("physicalName", name) != name:
        what = f"column {name}: physicalName {data['physicalName']!r} differs from the name; columns are read by name"
        raise file.error((*place, "physicalName"), what, do="name the column as the data does")


def _check_values(file: ContractFile, place: Location, column: Column) -> None:
    """Require that every value written for a column has the column's type, and every option can be executed."""
    options = (*place, "logicalTypeOptions")
    for position, value in enumerate(column.enum or ()):
        _check_value(file, (*place, "enum", position, "value"), value, column)
    for bound in _BOUNDS:
        # Between whole numbers a bound may have a fraction; everything else compares with its own kind.
        if bound in column.options and column.logical_type not in {"integer", "number"}:
            _check_value(file, (*options, bound), column.options[bound], column)
    if "pattern" in column.options:
        require_pattern(file, (*options, "pattern"), column.options["pattern"])
    if "format" in column.options:
        _check_format(file, (*options, "format"), column)
    if (zone := column.options.get("defaultTimezone")) is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise file.error((*options, "defaultTimezone"), f"column {column.name}: no time zone {zone!r}") from error


def _check_value(file: ContractFile, place: Location, value: Any, column: Column) -> None:
    try:
        arrow_values([value], column)
    except ValueError as error:
        do = "quote text, leave numbers and booleans bare, write dates as '2013-01-31'"
        raise file.error(place, f"column {column.name}: {error}", do=do) from error


def _check_format(file: ContractFile, place: Location, column: Column) -> None:
    name = column.options["format"]
    if column.logical_type in {"date", "timestamp"}:
        try:
            instant_pattern(name)
        except ContractError as error:
            raise file.error(place, f"column {column.name}: {error}") from error
    elif column.logical_type == "string" and name not in {*STRING_FORMATS, *DOCUMENTING_FORMATS}:
        like = nearest(name, STRING_FORMATS)
        known = f"did you mean {like!r}?" if like else f"expected one of {', '.join(STRING_FORMATS)}"
        raise file.error(place, f"column {column.name}: format {name!r} cannot be executed; {known}")

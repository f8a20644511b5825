"""Compiling `quality`: library metrics to table rules, `engine: greatExpectations` to expectation rules.

`type: text` is documentation for people and is left out by design. Whatever cannot be executed is an error: no rule is
ever skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from data_contracts.contract import Column, ExpectationRule, Operator, TableRule
from data_contracts.expectation_plan import AGGREGATES
from data_contracts.odcs_columns import require_pattern
from data_contracts.odcs_file import ContractFile, Location
from data_contracts.repair import is_null_marker, own_form
from data_contracts.scalars import arrow_values
from data_contracts.yaml_lines import nearest

_OPERATORS = get_args(Operator)
_SEVERITIES: Mapping[str, Literal["error", "warning"]] = {
    "error": "error", "critical": "error", "high": "error", "warning": "warning", "medium": "warning",
    "low": "warning", "info": "warning",
}  # fmt: skip
_ENGINE = "greatExpectations"
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "nullValues": ("properties",),
    "missingValues": ("missingValues", "properties"),
    "invalidValues": ("validValues", "pattern", "properties"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}


def compile_quality(
    file: ContractFile, place: Location, rules: Sequence[Mapping[str, Any]], owner: Column | None, columns: list[Column]
) -> Iterator[TableRule | ExpectationRule]:
    """Compile one `quality` list.

    Args:
        file: The contract.
        place: The list's location.
        rules: The list.
        owner: The column it stands under; none for the list of the whole table.
        columns: Every column of the contract.

    Raises:
        ContractError: A rule cannot be executed.
    """
    for position, data in enumerate(rules):
        at = (*place, position)
        kind = data.get("type", "library")
        if kind == "library":
            yield _library(file, at, data, owner, columns)
        elif kind == "custom":
            yield _custom(file, at, data, owner, columns)
        elif kind != "text":
            do = "say it as a library metric or a greatExpectations expectation, or as `type: text` if it only informs"
            raise file.error(at, f"a rule of type {kind!r} cannot be executed: there is no database to ask", do=do)


def unique_ids(rules: Sequence[TableRule | ExpectationRule], taken: set[str]) -> Iterator[TableRule | ExpectationRule]:
    """Yield the rules with `.2`, `.3` ... behind an id that another rule has already."""
    used = set(taken)
    for rule in rules:
        name, number = rule.id, 1
        while name in used:
            number += 1
            name = f"{rule.id}.{number}"
        used.add(name)
        yield rule.model_copy(update={"id": name})


def _library(
    file: ContractFile, place: Location, data: Mapping[str, Any], owner: Column | None, columns: list[Column]
) -> TableRule:
    metric = data.get("metric")
    if metric is None:
        what = "a quality rule without `type` is a library rule and needs a `metric`"
        raise file.error(place, what, do=f"add `metric:` ({', '.join(_ARGUMENTS)}) or `type: text`")
    arguments = data.get("arguments") or {}
    _check_argument_names(file, place, metric, arguments)
    names = _columns_of(file, place, metric, arguments, owner, columns)
    kept = {key: value for key, value in arguments.items() if key != "properties"}
    if owner is not None and names == (owner.name,):
        named = [owner]
    else:
        named = [column for column in columns if column.name in names]
    _check_arguments(file, (*place, "arguments"), metric, kept, named)
    operator = next(key for key in _OPERATORS if key in data)
    bound = data[operator]
    numbers = bound if isinstance(bound, list) else [bound]
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise file.error((*place, operator), f"{metric}.{operator}: expected a number, got {bound!r}")
    if isinstance(bound, list) and bound[0] > bound[1]:
        raise file.error((*place, operator), f"{metric}.{operator}: expected the smaller number first, got {bound}")
    return TableRule(
        id=data.get("id") or data.get("name") or f"{owner.name if owner else 'table'}.{metric}",
        metric=metric,
        columns=names,
        arguments=kept,
        unit=_unit(file, place, data),
        operator=operator,
        bound=tuple(bound) if isinstance(bound, list) else bound,
        severity=_severity(file, place, data),
        line=file.yaml.line(place),
    )


def _columns_of(
    file: ContractFile,
    place: Location,
    metric: str,
    arguments: Mapping[str, Any],
    owner: Column | None,
    columns: list[Column],
) -> tuple[str, ...]:
    if metric == "rowCount":
        return ()
    if owner is not None and "properties" not in arguments:
        return (owner.name,)
    known = {column.name: column for column in columns}
    if "properties" in arguments:
        at = (*place, "arguments", "properties")
        listed = arguments["properties"]
        if not isinstance(listed, list) or not listed:
            raise file.error(at, f"{metric}: properties: expected a list of column names, got {listed!r}")
        for name in listed:
            if name not in known:
                like = nearest(str(name), known)
                raise file.error(at, f"{metric}: no column {name!r}" + (f"; did you mean {like!r}?" if like else ""))
        return tuple(listed)
    if metric == "duplicateValues":
        return tuple(known)
    what = f"{metric} of the whole table needs to know which columns to look at"
    raise file.error(place, what, do="put the rule under a property, or add `arguments: {properties: [...]}`")


def _check_argument_names(file: ContractFile, place: Location, metric: str, arguments: Mapping[str, Any]) -> None:
    for key in arguments:
        if key not in _ARGUMENTS[metric]:
            like = nearest(key, _ARGUMENTS[metric])
            hint = f"did you mean {like!r}?" if like else f"expected {', '.join(_ARGUMENTS[metric]) or 'none'}"
            raise file.error((*place, "arguments", key), f"{metric} has no argument {key!r}; {hint}")


def _check_arguments(
    file: ContractFile, place: Location, metric: str, arguments: Mapping[str, Any], columns: list[Column]
) -> None:
    if metric == "invalidValues" and not arguments:
        raise file.error(place[:-1], "invalidValues needs `arguments` that say what is valid: validValues or pattern")
    if "pattern" in arguments:
        require_pattern(file, (*place, "pattern"), arguments["pattern"])
        for column in columns:
            if column.logical_type != "string":
                what = f"a pattern needs text; {column.name} is {column.logical_type}"
                raise file.error((*place, "pattern"), what)
    for key in {"validValues", "missingValues"} & set(arguments):
        if not isinstance(arguments[key], list):
            raise file.error((*place, key), f"{metric}: {key}: expected a list, got {arguments[key]!r}")
        for column in columns:
            try:
                # A text such as 'N/A' in a list of missing values is a null marker, whatever the column's type.
                arrow_values((v for v in arguments[key] if v is not None and not _is_marker(key, v, column)), column)
            except ValueError as error:
                raise file.error((*place, key), f"{metric}: {key} of {column.name}: {error}") from error


def _is_marker(key: str, value: Any, column: Column) -> bool:
    text = isinstance(value, str) and key == "missingValues"
    return text and is_null_marker(own_form(value, column.repair), column)


def _unit(file: ContractFile, place: Location, data: Mapping[str, Any]) -> Literal["rows", "percent"]:
    unit = data.get("unit", "rows")
    if unit not in {"rows", "percent"}:
        raise file.error((*place, "unit"), f"unit: expected rows or percent, got {unit!r}")
    if unit == "percent" and data["metric"] == "rowCount":
        raise file.error((*place, "unit"), "rowCount is counted in rows, not percent")
    return "percent" if unit == "percent" else "rows"


def _severity(file: ContractFile, place: Location, data: Mapping[str, Any]) -> Literal["error", "warning"]:
    severity = str(data.get("severity", "error")).lower()
    if severity not in _SEVERITIES:
        what = f"severity: expected one of {', '.join(_SEVERITIES)}; got {data['severity']!r}"
        raise file.error((*place, "severity"), what)
    return _SEVERITIES[severity]


def _custom(
    file: ContractFile, place: Location, data: Mapping[str, Any], owner: Column | None, columns: list[Column]
) -> ExpectationRule:
    if data["engine"] != _ENGINE:
        what = f"the engine {data['engine']!r} cannot be executed; expected {_ENGINE}"
        raise file.error((*place, "engine"), what, do="say the rule as an expectation or a library metric")
    written = _implementation(file, (*place, "implementation"), data["implementation"])
    name = written.get("type") or written.get("expectation_type")
    kwargs = written.get("kwargs") or {}
    if not isinstance(name, str) or not isinstance(kwargs, dict):
        what = "implementation: expected `type: expect_...` and `kwargs: {...}`"
        raise file.error((*place, "implementation"), what)
    if owner is not None and name.startswith("expect_column_") and not name.startswith("expect_column_pair_"):
        kwargs = {"column": owner.name, **kwargs}
    needs_numbers = AGGREGATES.get(name) == "moments"
    for column in (column for column in columns if needs_numbers and column.name == kwargs.get("column")):
        if column.logical_type not in {"integer", "number", "boolean"}:
            what = f"{name} needs numbers; {column.name} is {column.logical_type}"
            raise file.error((*place, "implementation"), what)
    return ExpectationRule(
        id=data.get("id") or data.get("name") or f"{owner.name if owner else 'table'}.{name}",
        type=name,
        kwargs=kwargs,
        severity=_severity(file, place, data),
        line=file.yaml.line(place),
    )


def _implementation(file: ContractFile, place: Location, written: Any) -> dict[str, Any]:
    if isinstance(written, str):
        try:
            # JSON is YAML, so one parser reads both.
            written = YAML(typ="safe", pure=True).load(written)
        except YAMLError as error:
            raise file.error(place, f"implementation: not valid YAML or JSON: {error}") from error
    if not isinstance(written, dict):
        raise file.error(place, f"implementation: expected a mapping, got {type(written).__name__}")
    allowed = ("type", "expectation_type", "kwargs", "meta", "notes")
    for key in written:
        if key not in allowed:
            raise file.error(place, f"implementation: unknown key {key!r}; expected {', '.join(allowed)}")
    return written

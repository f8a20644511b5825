"""Checking a file against the Open Data Contract Standard: its JSON schema and its official model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
from jsonschema import Draft201909Validator, ValidationError
from jsonschema.exceptions import best_match
from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import ValidationError as ModelError

from data_contracts.errors import ContractError
from data_contracts.odcs_file import ContractFile, Location
from data_contracts.yaml_lines import nearest

_SHOWN = 5
_BRANCHES = ("allOf", "anyOf", "oneOf")
_GUARDS = ("if", "then", "else")
_RIGHT = {"name": "right", "logicalType": "string"}


def require_odcs(file: ContractFile) -> None:
    """Require that a file is a valid ODCS 3 contract.

    Raises:
        ContractError: It is not; up to five problems are named, each with its line, unknown keys with the nearest
            valid one.
    """
    version = file.value.get("apiVersion")
    if isinstance(version, str) and not version.startswith("v3."):
        what = f"apiVersion: expected v3.0.0 or later of version 3, got {version}"
        raise file.error(("apiVersion",), what, do="bring the contract to version 3 of the standard")
    untyped = dict(_untyped(file.value))
    errors = [] if _fast().is_valid(file.value) else _validator().iter_errors(_wrong_columns(file.value))
    problems = sorted(
        {problem for error in errors if not _guesses(error, untyped) for problem in _problems(error, file)}
        | {
            (file.yaml.line(place), place, f"column {name} lacks the key 'logicalType'")
            for place, name in untyped.items()
        }
    )
    if not problems:
        _require_model(file)
        return
    shown = [str(file.error(place, what)) for _, place, what in problems[:_SHOWN]]
    more = f"\n... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    raise ContractError("\n".join(shown) + more + "\n  do: see https://bitol-io.github.io/open-data-contract-standard")


@lru_cache
def _schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("open_data_contract_standard") / "schema.json").read_text("utf-8"))
    return found


@lru_cache
def _validator() -> Draft201909Validator:
    return Draft201909Validator(_schema())


@lru_cache
def _fast() -> jsonschema_rs.Draft201909Validator:
    """Return what tells in no time that all is well; what is not, the slow validator puts in words."""
    return jsonschema_rs.Draft201909Validator(_schema())


@lru_cache
def _fast_column() -> jsonschema_rs.Draft201909Validator:
    return jsonschema_rs.Draft201909Validator({**_schema()["$defs"]["SchemaProperty"], "$defs": _schema()["$defs"]})


def _wrong_columns(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the contract with the least of columns in place of those that are right: of thousands few are wrong."""
    tables = contract.get("schema")
    if not isinstance(tables, list):
        return contract
    return {**contract, "schema": [_with_wrong_columns(table) for table in tables]}


def _with_wrong_columns(table: Any) -> Any:
    columns = table.get("properties") if isinstance(table, dict) else None
    if not isinstance(columns, list):
        return table
    return {**table, "properties": [_RIGHT if _fast_column().is_valid(column) else column for column in columns]}


def _require_model(file: ContractFile) -> None:
    try:
        OpenDataContractStandard(**file.value)
    except ModelError as error:
        first = error.errors()[0]
        raise file.error(first["loc"], f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _untyped(contract: dict[str, Any]) -> Iterator[tuple[Location, Any]]:
    """Yield the place and name of every column without a logical type; anything malformed is the schema's to find."""
    tables = contract.get("schema")
    for number, table in enumerate(tables if isinstance(tables, list) else ()):
        columns = table.get("properties") if isinstance(table, dict) else None
        for position, column in enumerate(columns if isinstance(columns, list) else ()):
            if isinstance(column, dict) and "logicalType" not in column:
                yield ("schema", number, "properties", position), column.get("name")


def _guesses(error: ValidationError, untyped: Mapping[Location, Any]) -> bool:
    """Tell whether an error comes of the schema taking a column without a logical type for one of every type."""
    return "then" in error.absolute_schema_path and tuple(error.absolute_path)[:4] in untyped


def _problems(error: ValidationError, file: ContractFile) -> Iterator[tuple[int, Location, str]]:
    """Yield the problems behind one error as line, place and text."""
    place: Location = tuple(error.absolute_path)
    if error.validator in {"additionalProperties", "unevaluatedProperties"} and isinstance(error.instance, dict):
        known = _known_keys(error.schema)
        # A property that fails elsewhere makes the validator call its valid neighbours unevaluated: not a finding.
        for key in (key for key in error.instance if key not in known):
            like = nearest(key, known)
            hint = f"; did you mean {like!r}?" if like else f"; expected one of {', '.join(sorted(known))}"
            yield file.yaml.line((*place, key)), (*place, key), f"unknown key {key!r}{hint}"
        return
    if error.validator == "oneOf":
        place, what = _one_of(error, place)
    elif error.validator == "required":
        what = f"{_name(place)} lacks the key {error.message.split(' is a required')[0]}"
    elif error.validator == "enum":
        options: Any = error.validator_value
        what = f"{_name(place)}: expected one of {', '.join(map(str, options))}; got {error.instance!r}"
    else:
        what = f"{_name(place)}: {error.message}"
    yield file.yaml.line(place), place, what


def _one_of(error: ValidationError, place: Location) -> tuple[Location, str]:
    choices: Any = error.validator_value
    options = [choice["required"][0] for choice in choices if "required" in choice]
    given = [key for key in options if key in error.instance] if isinstance(error.instance, dict) else []
    if options and len(given) != 1:
        return place, f"{_name(place)}: expected exactly one of {', '.join(options)}; got {', '.join(given) or 'none'}"
    deeper = [inner for inner in error.context or () if inner.validator != "required"]
    inner = best_match(iter(deeper)) or error
    return tuple(inner.absolute_path), f"{_name(tuple(inner.absolute_path))}: {inner.message}"


def _known_keys(schema: Any) -> set[str]:
    """Collect every property that a schema names, through its references and branches."""
    if "$ref" in schema:
        target = _schema()["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        return _known_keys(target) | _known_keys({key: value for key, value in schema.items() if key != "$ref"})
    known = set(schema.get("properties", ()))
    for branch in _BRANCHES:
        for option in schema.get(branch, ()):
            known |= _known_keys(option)
    for guard in _GUARDS:
        known |= _known_keys(schema[guard]) if guard in schema else set()
    return known


def _name(place: Location) -> str:
    return ".".join(str(part) for part in place) or "the contract"

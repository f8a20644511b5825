"""Compiling what a column's `customProperties` say: how its texts are put right, what privacy asks, and fairness."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from data_contracts.contract import Case, Column, LogicalType, Privacy, Repair, UnicodeForm
from data_contracts.errors import ContractError
from data_contracts.instants import instant_pattern
from data_contracts.odcs_file import ContractFile, Location
from data_contracts.privacy import require_one_group
from data_contracts.repair import ISO, date_formats, is_null_marker, number_pattern, own_form

_ALL = get_args(LogicalType)
_TEXTS, _NUMBERS, _DATES = ("string",), ("integer", "number"), ("date", "timestamp")
_FITS: Mapping[str, tuple[str, ...]] = {
    "unicode": _TEXTS,
    "trim": _TEXTS,
    "case": _TEXTS,
    "nullMarkers": _ALL,
    "synonyms": _ALL,
    "thousandsSeparator": _NUMBERS,
    "decimalSeparator": _NUMBERS,
    "formats": _DATES,
    "privacy": _ALL,
    "protected": _ALL,
}
_OF_THE_COLUMN = frozenset({"privacy", "protected"})
# A name of another tool may be like one of ours; only one that is nearly ours is taken for a slip.
_NEAR = 0.8


def with_custom_properties(file: ContractFile, place: Location, data: Mapping[str, Any], column: Column) -> Column:
    """Return the column with what its `customProperties` say; those of other tools are passed over.

    Args:
        file: The contract.
        place: The property's location.
        data: The property.
        column: The rest of what was compiled from it.

    Raises:
        ContractError: A value means nothing, does not fit the column's type, or contradicts another.
    """
    given = dict(_given(file, place, data, column))
    fields = {name: value for name, (_, value) in given.items() if name not in _OF_THE_COLUMN}
    column = column.model_copy(
        update={
            "repair": Repair(**{_field(name): value for name, value in fields.items()}),
            **{name: value for name, (_, value) in given.items() if name in _OF_THE_COLUMN},
        }
    )
    for name, (at, _) in given.items():
        if name in _CHECKS and (problem := _CHECKS[name](column)) is not None:
            what, do = problem
            raise file.error(at, f"column {column.name}: {name}: {what}", do=do)
    forms = {own_form(key, column.repair): value for key, value in column.repair.synonyms.items()}
    return column.model_copy(update={"repair": column.repair.model_copy(update={"synonyms": forms})})


def _given(
    file: ContractFile, place: Location, data: Mapping[str, Any], column: Column
) -> Iterator[tuple[str, tuple[Location, Any]]]:
    seen: set[str] = set()
    for position, entry in enumerate(data.get("customProperties") or ()):
        name, at = str(entry.get("property")), (*place, "customProperties", position)
        if name not in _FITS:
            lowered = {known.lower(): known for known in _FITS}
            for like in get_close_matches(name.lower(), list(lowered), n=1, cutoff=_NEAR):
                what = f"column {column.name}: unknown custom property {name!r}; did you mean {lowered[like]!r}?"
                raise file.error(at, what)
            continue
        if name in seen:
            raise file.error(at, f"column {column.name}: {name} is said twice")
        seen.add(name)
        if column.logical_type not in _FITS[name]:
            fit = ", ".join(option for option, kinds in _FITS.items() if column.logical_type in kinds)
            what = f"column {column.name}: {name} serves {' and '.join(_FITS[name])}, not {column.logical_type}"
            raise file.error(at, what, do=f"leave it out; {column.logical_type} columns take {fit}")
        inside = (*at, "value")
        try:
            yield name, (inside, _READERS[name](entry.get("value")))
        except ValueError as error:
            raise file.error(inside, f"column {column.name}: {name}: {error}") from error


def _field(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"expected one of {', '.join(words)}; got {value!r}")
        return str(value)

    return read


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {value!r}")  # noqa: TRY004
    return value


def _listed(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
        raise ValueError(f"expected a list of texts, got {value!r}; put each in quotes")
    return tuple(value)


def _mapped(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value or not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"expected a mapping of texts to texts, got {value!r}; put each in quotes")
    return value


def _separator(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1 or value.isalnum() or value in "+-\"'\\":
        raise ValueError(f"expected one character that is no letter, digit or sign; got {value!r}")
    return value


def _privacy(value: Any) -> Privacy:
    if value == "drop":
        return Privacy(action="drop")
    if isinstance(value, dict) and list(value) == ["extract"] and isinstance(value["extract"], str):
        return Privacy(action="extract", pattern=value["extract"])
    raise ValueError(f"expected drop, or {{extract: '<a regular expression with one group>'}}; got {value!r}")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "unicode": _one_of(get_args(UnicodeForm)),
    "trim": _flag,
    "case": _one_of(get_args(Case)),
    "nullMarkers": _listed,
    "synonyms": _mapped,
    "thousandsSeparator": _separator,
    "decimalSeparator": _separator,
    "formats": _listed,
    "privacy": _privacy,
    "protected": _flag,
}

# What is wrong, and what to do about it.
_Problem = tuple[str, str] | None


def _check_form(column: Column) -> _Problem:
    """A value that the contract allows must be one that a repaired text can have."""
    for value in column.enum or ():
        if isinstance(value, str) and (form := own_form(value, column.repair)) != value:
            return f"the allowed value {value!r} can never occur: it is brought to {form!r}", f"write {form!r} in enum"
    return None


def _check_markers(column: Column) -> _Problem:
    if column.logical_type not in _NUMBERS:
        return None
    for marker in column.repair.null_markers or ():
        if re.fullmatch(number_pattern(column.repair), marker, re.ASCII):
            what = f"{marker!r} is a number, and a number that comes as one would not be null"
            return what, "keep numbers out with the options minimum and maximum"
    return None


def _check_synonyms(column: Column) -> _Problem:
    repair = column.repair
    seen: dict[str, str] = {}
    for key, value in repair.synonyms.items():
        form = own_form(key, repair)
        if seen.setdefault(form, value) != value:
            return f"{key!r} stands for {seen[form]!r} and for {value!r}: both keys are brought to {form!r}", "keep one"
        if is_null_marker(form, column):
            return f"{key!r} is a null marker, which is looked up before", "say other nullMarkers"
    for value in repair.synonyms.values():
        if own_form(value, repair) != value:
            return f"{value!r} is not in the column's own form", f"write {own_form(value, repair)!r}"
        if is_null_marker(value, column):
            return f"{value!r} is a null marker", "to make a text null, put it under nullMarkers"
        if seen.get(value, value) != value:
            return f"{value!r} has a synonym itself, {seen[value]!r}", f"let its keys stand for {seen[value]!r}"
    return None


def _check_separators(column: Column) -> _Problem:
    thousands, decimal = column.repair.thousands_separator, column.repair.decimal_separator or "."
    if thousands == decimal:
        return f"thousands and fractions are both separated by {decimal!r}", "say both separators, and different ones"
    return None


def _check_formats(column: Column) -> _Problem:
    if "format" in column.options:
        return "the logicalTypeOptions say a format too", "list every format here alone"
    for text_format in date_formats(column):
        try:
            re.compile(instant_pattern(text_format))
        except (ContractError, re.error) as error:
            return str(error), f"write it as dd.MM.yyyy, or {ISO} for the default"
    return None


def _check_privacy(column: Column) -> _Problem:
    if column.privacy is None or column.privacy.pattern is None:
        return None
    if column.logical_type != "string":
        return f"extract serves string, not {column.logical_type}", "drop the column, or read it as a string"
    try:
        require_one_group(column.privacy.pattern)
    except ContractError as error:
        what, _, do = str(error).partition("\n  do: ")
        return what, do
    example = next(iter(column.examples), None)
    if column.required and (not isinstance(example, str) or own_form(example, column.repair) != example):
        return "a required column needs a whole text to try the endpoint with", "give one made up, under examples"
    return None


_CHECKS: Mapping[str, Callable[[Column], _Problem]] = {
    "unicode": _check_form,
    "trim": _check_form,
    "case": _check_form,
    "nullMarkers": _check_markers,
    "synonyms": _check_synonyms,
    "thousandsSeparator": _check_separators,
    "decimalSeparator": _check_separators,
    "formats": _check_formats,
    "privacy": _check_privacy,
}

"""One column compared with its later self, field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from data_contracts.contract import Column, RowRuleKind
from data_contracts.diff_change import Change, ChangeKind, Consequence, appeared, as_json
from data_contracts.diff_repairs import privacy_changes, repair_changes
from data_contracts.diff_rules import rule_change
from data_contracts.row_rules import is_secret

_RULE_KINDS = frozenset(get_args(RowRuleKind))
_TEMPORAL = frozenset({"date", "timestamp"})
_DESCRIBES = "it only describes: rows, values and requests are the same"
_KEY = "the primary key decides by default which split a row is in, so training and test rows are others"


def column_changes(path: str, old: Column, new: Column) -> Iterator[Change]:
    """Yield every change of a column that keeps its name.

    A field that is not known here means refit, because something about the values is said differently.

    Args:
        path: The column's place, such as `columns.carrier`.
        old: The column before.
        new: The column after.
    """
    for field in Column.model_fields:
        if field not in COLUMN_IDENTITY and getattr(old, field) != getattr(new, field):
            yield from COLUMN_FIELDS.get(field, _unknown(field))(path, old, new)


def _change(
    path: str, before: Any, after: Any, consequence: Consequence, why: str, kind: ChangeKind | None = None
) -> Change:
    return Change(
        path=path,
        kind=kind or appeared(before, after),
        before=as_json(before),
        after=as_json(after),
        consequence=consequence,
        why=why,
    )


Differ = Callable[[str, Column, Column], Iterator[Change]]


def _unknown(field: str) -> Differ:
    def differ(path: str, old: Column, new: Column) -> Iterator[Change]:
        why = "something is said of the column's values that was not"
        yield _change(f"{path}.{field}", getattr(old, field), getattr(new, field), "refit", why)

    return differ


def _describing(field: str) -> Differ:
    def differ(path: str, old: Column, new: Column) -> Iterator[Change]:
        yield _change(f"{path}.{field}", getattr(old, field), getattr(new, field), "nothing", _DESCRIBES)

    return differ


def _logical_type(path: str, old: Column, new: Column) -> Iterator[Change]:
    types = old.logical_type, new.logical_type
    consequence: Consequence = "breaks-clients"
    why = f"values are read as {types[1]}, and a request has to send them in another datatype"
    if types == ("date", "timestamp"):
        consequence = "retrain"
        why = "a day is read as its first instant, which requests may still send; other features come of it"
    yield _change(f"{path}.logical_type", *types, consequence, why)


def _required(path: str, old: Column, new: Column) -> Iterator[Change]:
    if new.required:
        consequence: Consequence = "breaks-clients"
        why = "nulls are refused: rows with them go to quarantine, requests with them are answered with an error"
    else:
        consequence = "refit"
        why = "nulls come in, so there must be something to put in their place; requests stay as they are"
        if new.logical_type in {"integer", "boolean"}:
            why += ", and the graph takes the column as a float64 tensor, in which NaN is null"
    kind: ChangeKind = "tightened" if new.required else "loosened"
    yield _change(f"{path}.required", old.required, new.required, consequence, why, kind)


def _unique(path: str, old: Column, new: Column) -> Iterator[Change]:
    why = "rows that share a value with other content are judged differently; the endpoint sees one request at a time"
    kind: ChangeKind = "tightened" if new.unique else "loosened"
    yield _change(f"{path}.unique", old.unique, new.unique, "revalidate", why, kind)


def _primary_key(path: str, old: Column, new: Column) -> Iterator[Change]:
    places = old.primary_key_position, new.primary_key_position
    yield _change(f"{path}.primary_key_position", *places, "retrain", _KEY)


def _enum(path: str, old: Column, new: Column) -> Iterator[Change]:
    if old.enum is not None and new.enum is not None and set(old.enum) == set(new.enum):
        yield _change(f"{path}.enum", old.enum, new.enum, "nothing", "the allowed values have no order", "reordered")
        return
    yield rule_change(f"{path}.enum", "enum", old.enum, new.enum, (old, new))


def _classification(path: str, old: Column, new: Column) -> Iterator[Change]:
    consequence: Consequence = "nothing"
    why = "values were and are shown alike"
    if is_secret(old) != is_secret(new):
        consequence = "refit"
        why = "validation's examples and the reference statistics that fitting writes "
        why += "hide the values from now on" if is_secret(new) else "show the values from now on"
    yield _change(f"{path}.classification", old.classification, new.classification, consequence, why)


def _protected(path: str, old: Column, new: Column) -> Iterator[Change]:
    compared = "are compared" if new.protected else "are no longer compared"
    why = f"only evaluation heeds it: the model's answers for the column's groups {compared} in the next run"
    kind: ChangeKind = "tightened" if new.protected else "loosened"
    yield _change(f"{path}.protected", old.protected, new.protected, "nothing", why, kind)


def _options(path: str, old: Column, new: Column) -> Iterator[Change]:
    for option in dict.fromkeys((*old.options, *new.options)):
        before, after = old.options.get(option), new.options.get(option)
        if before == after:
            continue
        place = f"{path}.options.{option}"
        dates = option == "format" and (old.logical_type in _TEMPORAL or new.logical_type in _TEMPORAL)
        if old.logical_type != new.logical_type:
            why = "the option goes with the type, which is another"
            yield _change(place, before, after, "refit", why)
        elif dates:
            yield _date_format(place, before, after)
        elif rule_kind(option) in _RULE_KINDS:
            yield rule_change(place, rule_kind(option), before, after, (old, new))
        else:
            why = "times without a zone are read as other instants, in the data and at the endpoint"
            yield _change(place, before, after, "refit", why if option == "defaultTimezone" else "values may be others")


def rule_kind(option: str) -> str:
    """Return the kind of row rule that an option of the standard would be: `minLength` is `min_length`."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", option)


def _date_format(path: str, before: Any, after: Any) -> Change:
    if before is None:
        return _change(path, before, after, "revalidate", "texts that could not be read can be")
    why = "dates written in the old format can no longer be read, in the data and at the endpoint"
    return _change(path, before, after, "breaks-clients", why)


# What a column is known by, and where it stands in its file.
COLUMN_IDENTITY = frozenset({"name", "line"})
COLUMN_FIELDS: Mapping[str, Differ] = {
    "logical_type": _logical_type,
    "physical_type": _describing("physical_type"),
    "required": _required,
    "unique": _unique,
    "primary_key_position": _primary_key,
    "enum": _enum,
    "classification": _classification,
    "description": _describing("description"),
    "examples": _describing("examples"),
    "options": _options,
    "repair": repair_changes,
    "privacy": privacy_changes,
    "protected": _protected,
}

"""Repairs compared: how texts are put right decides what every value is, in the data and at the endpoint alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from data_contracts.contract import Column
from data_contracts.diff_change import Change, Consequence, appeared, as_json

_READ = "texts are read differently, in the data and at the endpoint"
_REFUSED = f"{_READ}; texts that were put right are not any more, so they can be unreadable or break a rule"
_NULL = f"{_READ}; texts that now mean null break `required`"
# Rules that look at the text itself, so that a text which is no longer put right can break them.
_TEXT_OPTIONS = frozenset({"pattern", "minLength", "maxLength", "format"})


def repair_changes(path: str, old: Column, new: Column) -> Iterator[Change]:
    """Yield the changes of a column's repairs, field by field; a field that is not known here means refit."""
    for field in type(new.repair).model_fields:
        before, after = getattr(old.repair, field), getattr(new.repair, field)
        if before == after:
            continue
        consequence, why = REPAIR_FIELDS.get(field, _unknown)(before, after, new)
        yield Change(
            path=f"{path}.repair.{field}",
            kind=appeared(before, after),
            before=as_json(before),
            after=as_json(after),
            consequence=consequence,
            why=why,
        )


def privacy_changes(path: str, old: Column, new: Column) -> Iterator[Change]:
    """Yield the change of what becomes of a column after it was checked."""
    if old.privacy == new.privacy:
        return
    was_dropped, is_dropped = (column.privacy is not None and column.privacy.action == "drop" for column in (old, new))
    consequence: Consequence = "refit"
    why = "another part of every text stays, so the column has other values"
    if is_dropped:
        consequence = "breaks-clients"
        why = "the column leaves the data, so a model is made without it; the endpoint refuses inputs it does not know"
    elif was_dropped:
        consequence, why = "retrain", "the column stays in the data now, so a model can use it"
    yield Change(
        path=f"{path}.privacy",
        kind=appeared(old.privacy, new.privacy),
        before=as_json(old.privacy),
        after=as_json(new.privacy),
        consequence=consequence,
        why=why,
    )


def _unknown(before: Any, after: Any, column: Column) -> tuple[Consequence, str]:  # noqa: ARG001
    return "refit", _READ


def _taken_back(column: Column) -> tuple[Consequence, str]:
    """Say what follows where a text may stay as it came."""
    judged = column.enum is not None or not _TEXT_OPTIONS.isdisjoint(column.options)
    return ("breaks-clients", _REFUSED) if judged or column.logical_type != "string" else ("refit", _READ)


def _form(before: Any, after: Any, column: Column) -> tuple[Consequence, str]:
    return ("refit", _READ) if before is None or after is True else _taken_back(column)


def _markers(before: Any, after: Any, column: Column) -> tuple[Consequence, str]:
    if before is not None and after is not None and set(before) < set(after):
        return ("breaks-clients", _NULL) if column.required else ("refit", _READ)
    # In place of the usual markers others stand, so some texts mean null no more.
    return _taken_back(column)


def _synonyms(before: Mapping[str, str], after: Mapping[str, str], column: Column) -> tuple[Consequence, str]:
    kept = all(after.get(text) == meaning for text, meaning in before.items())
    return ("refit", _READ) if kept else _taken_back(column)


def _separator(before: Any, after: Any, column: Column) -> tuple[Consequence, str]:  # noqa: ARG001
    return ("refit", _READ) if before is None else ("breaks-clients", _REFUSED)


def _formats(before: tuple[str, ...], after: tuple[str, ...], column: Column) -> tuple[Consequence, str]:  # noqa: ARG001
    if set(before) - set(after):
        return "breaks-clients", _REFUSED
    if after[: len(before)] == before:
        return "revalidate", "texts that could not be read can be; those that could are read as before"
    return "refit", f"{_READ}: the first format that fits decides"


REPAIR_FIELDS: Mapping[str, Callable[[Any, Any, Column], tuple[Consequence, str]]] = {
    "unicode": _form,
    "trim": _form,
    "case": _form,
    "null_markers": _markers,
    "synonyms": _synonyms,
    "thousands_separator": _separator,
    "decimal_separator": _separator,
    "formats": _formats,
}

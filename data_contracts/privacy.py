"""Privacy actions: what of a column leaves once its rules were checked and duplicates compared."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.bounded_group import after_sign, bounded_group
from data_contracts.codes import joined_codes
from data_contracts.contract import Column, Contract
from data_contracts.errors import ContractError

_GROUP = "kept"
_PARTS_TYPE = pa.dictionary(pa.int32(), pa.string())
_CLASS = re.compile(r"\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL)


def visible_columns(contract: Contract) -> tuple[Column, ...]:
    """Return the columns that are there after `clean`, as they are then.

    Dropped columns are gone. Of an extracted column a part stays, or null: what the contract demands of the whole text
    (`required`, `enum`, options) no longer holds for it.
    """
    return tuple(_after(column) for column in contract.columns if not is_hidden(column))


def is_hidden(column: Column) -> bool:
    """Tell whether a column leaves before `clean`."""
    return column.privacy is not None and column.privacy.action == "drop"


def hidden_columns(contract: Contract) -> frozenset[str]:
    """Return the names of the columns that leave before `clean`, so that no later piece of work can have them."""
    return frozenset(column.name for column in contract.columns if is_hidden(column))


def apply_privacy(table: pa.Table, contract: Contract) -> pa.Table:
    """Drop and extract as the contract says; the order of the columns stays.

    What is extracted comes as a dictionary: parts repeat even where no whole text does.

    Args:
        table: Typed rows with any of the contract's columns; texts are plain or dictionaries.
        contract: The columns' privacy actions.
    """
    actions = {column.name: column.privacy for column in contract.columns if column.privacy is not None}
    for name in [name for name in table.column_names if name in actions]:
        pattern = actions[name].pattern
        position = table.column_names.index(name)
        if pattern is None:
            table = table.remove_column(position)
        else:
            column = table.column(position)
            parts = [_extract_array(chunk, pattern) for chunk in column.chunks]
            joined = joined_codes(parts, [part.dictionary for part in parts]) if parts else pa.array([], _PARTS_TYPE)
            table = table.set_column(position, name, joined)
    return table


def extracted(texts: pa.Array, pattern: str) -> pa.Array:
    """Return what the pattern's group finds in each text; null where it finds nothing, or the empty text.

    Args:
        texts: Plain strings, best each distinct one once.
        pattern: A regular expression with exactly one group, searched for.
    """
    expression, group = _named_group(pattern)
    found = pc.struct_field(pc.extract_regex(texts, expression), group)
    return pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), found)


def require_one_group(pattern: str) -> None:
    """Require that a pattern has exactly one group and means the same to RE2 and to Python, which the endpoint has.

    Raises:
        ContractError: It does not.
    """
    expression, _ = _named_group(pattern)
    try:
        pc.extract_regex(pa.array([""]), expression)
    except pa.ArrowInvalid as error:
        raise ContractError(
            f"pattern {pattern!r} cannot be executed: {error}\n"
            "  do: write it without look-around and back-references: patterns are RE2 expressions"
        ) from error


def python_pattern(pattern: str) -> str:
    r"""Return the pattern as Python's `re` must have it: its `$` would also match before a last line break."""
    return "".join(r"\Z" if part == "$" else part for part in _parts(pattern))


def _after(column: Column) -> Column:
    if column.privacy is None:
        return column
    return column.model_copy(update={"required": False, "enum": None, "options": {}})


def _extract_array(texts: pa.Array, pattern: str) -> pa.Array:
    if pa.types.is_string(texts.type) and (bounded := bounded_group(pattern)) is not None:
        return after_sign(texts, bounded)
    encoded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    return joined_codes([encoded], [extracted(encoded.dictionary.cast(pa.string()), pattern)])


@lru_cache
def _named_group(pattern: str) -> tuple[str, str]:
    """Return the pattern with its group named, as Arrow wants it, and the name.

    Raises:
        ContractError: Python cannot read the pattern, or it has not exactly one group.
    """
    try:
        with warnings.catch_warnings():
            # Python only warns about `[[:alpha:]]` and reads it otherwise than RE2.
            warnings.simplefilter("error")
            compiled = re.compile(pattern, re.ASCII)
    except (re.error, FutureWarning) as error:
        raise ContractError(f"pattern {pattern!r} cannot be executed at the endpoint: {error}") from error
    if compiled.groups != 1:
        raise ContractError(
            f"pattern {pattern!r}: expected exactly one group, got {compiled.groups}\n"
            "  do: put round brackets around the part that stays; others begin with (?:"
        )
    if compiled.groupindex:
        return pattern, next(iter(compiled.groupindex))
    return "".join(f"(?P<{_GROUP}>" if part == "(" else part for part in _parts(pattern)), _GROUP


def _parts(pattern: str) -> list[str]:
    """Split a pattern so that an unnamed group's `(` and an anchor's `$` stand alone."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        part = pattern[position]
        if part == "\\":
            part = pattern[position : position + 2]
        elif part == "[" and (found := _CLASS.match(pattern, position)) is not None:
            part = found.group()
        elif pattern.startswith("(?", position):
            part = "(?"
        parts.append(part)
        position += len(part)
    return parts

"""Do a source's files have the columns that the contract names, and all alike?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa

from data_contracts.contract import Column, Contract
from data_contracts.privacy import hidden_columns
from data_contracts.yaml_lines import nearest
from tasks.errors import ConfigError, DataError, SchemaDriftError

_SHOWN = 5


def known_column(place: str, name: str, contract: Contract) -> Column:
    """Return the contract's column of that name.

    Args:
        place: The config key that names the column, for the message.
        name: The column's name.
        contract: The contract.

    Raises:
        ConfigError: The contract has no such column; the message names the nearest.
    """
    try:
        return contract.column(name)
    except KeyError as error:
        names = [column.name for column in contract.columns]
        close = nearest(name, names)
        hint = f"did you mean `{close}`?" if close else f"its columns: {', '.join(names)}"
        raise ConfigError(f"{place}: contract {contract.path} has no column `{name}`; {hint}") from error


def require_visible(place: str, names: Iterable[str], contract: Contract) -> None:
    """Check that columns are still there after `clean`, where those under `privacy: drop` are gone.

    Args:
        place: The config key that names the columns, for the message.
        names: Columns of the contract.
        contract: The contract.

    Raises:
        ConfigError: One of them is dropped.
    """
    for name in sorted(hidden_columns(contract) & set(names)):
        line = contract.column(name).line
        raise ConfigError(
            f"{place}: the contract drops column `{name}` for privacy ({contract.path}:{line}), so it can be no "
            f"feature, target or key of a split\n"
            f"  do: take it out of `{place}`, or its `privacy: drop` out of the contract"
        )


def require_columns(file: str, names: Sequence[str], contract: Contract) -> None:
    """Check that a file has every column of the contract, each once.

    Raises:
        DataError: A column is missing, or stands there twice.
    """
    counted = Counter(names)
    twice = sorted(name for name, times in counted.items() if times > 1)
    if twice:
        raise DataError(
            f"{file}: columns that occur more than once: {_listed(twice)}\n  do: rename or remove the others"
        )
    missing = [column.name for column in contract.columns if column.name not in counted]
    if not missing:
        return
    hints = []
    for name in missing[:_SHOWN]:
        close = nearest(name, names)
        hints.append(f"`{name}`" + (f" (nearest: `{close}`)" if close else ""))
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    raise DataError(
        f"{file}: columns of contract {contract.name} that the file lacks: {', '.join(hints)}{more}; "
        f"it has {_listed(names)}\n  do: name the right file, or mend the contract ({contract.path})"
    )


def require_one_schema(schemas: Iterable[tuple[str, Sequence[str], pa.Schema]], contract: Contract) -> None:
    """Check that all files agree on the contract's columns: each is there, and of one kind.

    Widths do not matter (int32 beside int64, an integer column that one file holds as float because of its nulls),
    nor does a file where the column has no type because all of it is null, nor columns that the contract does not name.

    Args:
        schemas: Of each file: its name, its columns' names and its Arrow schema.
        contract: The contract.

    Raises:
        DataError: The first file lacks a column.
        SchemaDriftError: A later file lacks a column that the first has, or holds another kind of values in it.
    """
    kinds: dict[str, tuple[str, str]] = {}
    first = ""
    for file, names, schema in schemas:
        if not first:
            require_columns(file, names, contract)
            first = file
        for column in contract.columns:
            if column.name not in names:
                raise SchemaDriftError(_drift(file, column.name, "is missing", f"{first} has it"))
            kind = _kind(schema.field(column.name).type)
            expected, seen_in = kinds.setdefault(column.name, (kind, file)) if kind != "null" else (kind, file)
            if kind != expected:
                raise SchemaDriftError(_drift(file, column.name, f"holds {kind} values", f"{seen_in} has {expected}"))


def _drift(file: str, column: str, what: str, elsewhere: str) -> str:
    return (
        f"{file}: schema drift: column `{column}` {what}, but {elsewhere}\n"
        "  do: write the files alike, or give each schema a source and a contract of its own"
    )


def _kind(type_: pa.DataType) -> str:
    """Return a word for the kind of values that an Arrow type holds."""
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    kinds = {
        "null": pa.types.is_null,
        "boolean": pa.types.is_boolean,
        "numeric": lambda each: pa.types.is_integer(each) or pa.types.is_floating(each) or pa.types.is_decimal(each),
        "text": lambda each: (
            pa.types.is_string(each) or pa.types.is_large_string(each) or pa.types.is_string_view(each)
        ),
        "time": lambda each: pa.types.is_date(each) or pa.types.is_timestamp(each),
    }
    return next((kind for kind, holds in kinds.items() if holds(type_)), str(type_))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")

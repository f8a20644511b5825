"""What the labels in a table are: their type, their names, and whether all files agree on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from tasks.errors import DataError, SchemaDriftError

MOST_CLASSES = 100_000


@dataclass(frozen=True)
class LabelKind:
    """What labels of a file are: their type, and the names that integers stand for, where the file says them."""

    type: str
    names: tuple[str, ...]


def label_kind(name: str, schema: pa.Schema, label: str) -> LabelKind:
    """Read the type, and the names that Hugging Face's `ClassLabel` keeps in the schema's metadata.

    Raises:
        DataError: That metadata cannot be read.
    """
    type_ = schema.field(label).type
    type_ = type_.value_type if pa.types.is_dictionary(type_) else type_
    if not pa.types.is_integer(type_):
        return LabelKind("boolean" if pa.types.is_boolean(type_) else "text", ())
    said = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        names = json.loads(said)["info"]["features"][label]["names"]
    except json.JSONDecodeError as error:
        raise DataError(
            f"{name}: the schema's metadata `huggingface` is no JSON: {error}\n  do: write the file again"
        ) from error
    except (KeyError, TypeError):
        names = ()  # Whoever wrote the file used no ClassLabel.
    return LabelKind("integer", tuple(str(each) for each in names))


def require_one_kind(label: str, kinds: Mapping[str, LabelKind]) -> LabelKind:
    """Check that labels mean the same in all files, and return what they are.

    Args:
        label: The column's name.
        kinds: What it holds, by the files' names.

    Raises:
        SchemaDriftError: They do not.
    """
    (first, expected), *others = kinds.items()
    for name, kind in others:
        if kind != expected:
            raise SchemaDriftError(
                f"{name}: schema drift: column `{label}` holds {_told(kind)}, but {first} has {_told(expected)}\n"
                "  do: write the files alike; the same label must mean the same class in all of them"
            )
    return expected


def _told(kind: LabelKind) -> str:
    return f"{kind.type} labels" + (f" named {', '.join(kind.names[:5])}" if kind.names else "")


def names_in_order(labels: set[str | int]) -> tuple[str, ...]:
    """Return the labels that occur as names of classes: numbers by their size, texts by their letters."""
    numbers = sorted(label for label in labels if isinstance(label, int) and not isinstance(label, bool))
    texts = sorted(str(label).lower() if isinstance(label, bool) else str(label) for label in labels - set(numbers))
    return (*map(str, numbers), *texts)


def require_few(name: str, column: str, labels: set[str | int]) -> None:
    """Check that labels can be classes.

    Raises:
        DataError: There are more than `MOST_CLASSES` different ones.
    """
    if len(labels) > MOST_CLASSES:
        raise DataError(
            f"{name}: column `{column}` has more than {MOST_CLASSES:,} different labels, too many for classes\n"
            "  do: name the column of the class with `source.label_column`"
        )

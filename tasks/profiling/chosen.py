"""Which columns are meant by the names that somebody typed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from tasks.errors import ConfigError
from tasks.profiling.facts import ColumnFacts
from tasks.profiling.sniff import Sniffed
from tasks.profiling.words import quoted, shortened

_SHOWN = 10
_GUESSED = ("cp1252", "latin-1")


def find_columns(
    typed: Sequence[str], columns: Sequence[ColumnFacts], left_out: Mapping[str, str], sniffed: Sniffed
) -> tuple[str, ...]:
    """Return the columns that are meant: those of the name, or those whose name looks the same.

    A name looks the same with its accents written as letters of their own, and with other blanks.

    Args:
        typed: What stands behind `--target`.
        columns: Those that can be described.
        left_out: The types of those that cannot.
        sniffed: The source.

    Raises:
        ConfigError: There is no such column, or it holds no plain values.
    """
    names = [facts.name for facts in columns]
    return tuple(_found(name, names, left_out, sniffed) for name in typed)


def _found(typed: str, names: Sequence[str], left_out: Mapping[str, str], sniffed: Sniffed) -> str:
    if typed in names:
        return typed
    alike = [name for name in names if _look(name) == _look(typed)]
    if len(alike) == 1:
        return alike[0]
    if typed in left_out:
        raise ConfigError(
            f"--target {quoted(typed)}: its type {left_out[typed]} is neither a class nor a number\n"
            "  do: name another column, or write this one as plain values"
        )
    raise ConfigError(
        f"--target {quoted(typed)}: there is no such column\n  do: {'; '.join(_do(typed, names, sniffed))}"
    )


def _do(typed: str, names: Sequence[str], sniffed: Sniffed) -> Iterator[str]:
    close = get_close_matches(typed, names, n=3, cutoff=0.5)
    close = close or [name for name in names if typed and typed.lower() in name.lower()][:3]
    source = sniffed.source
    if len(names) == 1 and source.header:
        yield (
            f"the only column is {quoted(names[0])}: if its fields are parted by something other than a comma, "
            "semicolon, tab or bar, write the file anew with commas"
        )
    elif close and source.header:
        yield f"did you mean {' or '.join(map(quoted, close))}?"
    else:
        yield f"take one of {', '.join(map(shortened, names[:_SHOWN]))}{' ...' if len(names) > _SHOWN else ''}"
    if not source.header:
        yield "the first line of the file seems to be no header: if it is one, put names into it that are no numbers"
    clear = close and all(map(str.isascii, close))
    if source.encoding in _GUESSED and not clear:
        yield f"or save the file as UTF-8, if names look wrong: it is none, and was read as {source.encoding}"


def _look(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())

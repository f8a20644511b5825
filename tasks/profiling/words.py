"""What a column's name says, in words."""

from __future__ import annotations

import re

_LONGEST = 40
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z\u00df-\u00ff]+|[0-9]+")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: of `customerID`, `customer_id` and `Customer Id` alike two."""
    return tuple(part.lower() for part in _PART.findall(name))


def shortened(text: object) -> str:
    """Return a value as it may stand in a sentence: on one line, and not long."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def quoted(name: str) -> str:
    """Return a name as one may type it in a shell, on one line."""
    return name if name.replace("_", "").replace("-", "").isalnum() else f"'{' '.join(name.split())}'"

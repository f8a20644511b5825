"""What a column's name says, in words."""

from __future__ import annotations

import re

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z\u00df-\u00ff]+|[0-9]+")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: of `customerID`, `customer_id` and `Customer Id` alike two."""
    return tuple(part.lower() for part in _PART.findall(name))

"""How messages name what a client sent; each is short, whatever came."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from serving.records.findings import SHOWN, short

_LONGEST = 100
_KINDS = {type(None): "nothing", list: "a list", dict: "an object", str: "a string", bool: "a boolean"}


def unknown(what: str, name: Any, known: Iterable[str]) -> str:
    """Say that a name is unknown, and the nearest that is known."""
    names = tuple(known)
    nearest = _nearest(name[:_LONGEST], names) if type(name) is str else None
    hint = f"did you mean {nearest!r}?" if nearest else f"expected one of {listed(names)}"
    return f"unknown {what} {short(name)}: {hint}"


# A client that is wrong is wrong in the same way all the time, and each search costs more than a prediction.
@lru_cache(maxsize=64)
def _nearest(name: str, names: tuple[str, ...]) -> str | None:
    return next(iter(difflib.get_close_matches(name, names, n=1)), None)


def listed(names: Sequence[str]) -> str:
    """Return the first few names."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + more


def kind(value: Any) -> str:
    """Say what kind of JSON value came."""
    if value == []:
        return "an empty list"
    return _KINDS.get(type(value), "a number")

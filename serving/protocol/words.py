"""How messages name what a client sent; each is short, whatever came."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import orjson

from serving.records.findings import SHOWN

_LONGEST = 100
_KINDS = {type(None): "nothing", list: "a list", dict: "an object", str: "a string", bool: "a boolean"}


def unknown(what: str, name: Any, known: Iterable[str]) -> str:
    """Say that a name is unknown, and the nearest that is known."""
    names = list(known)
    nearest = difflib.get_close_matches(name[:_LONGEST], names, n=1) if type(name) is str else []
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"expected one of {listed(names)}"
    return f"unknown {what} {short(name)}: {hint}"


def listed(names: list[str]) -> str:
    """Return the first few names."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + more


def short(value: Any) -> str:
    """Return the beginning of a JSON value as JSON."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def kind(value: Any) -> str:
    """Say what kind of JSON value came."""
    if value == []:
        return "an empty list"
    return _KINDS.get(type(value), "a number")

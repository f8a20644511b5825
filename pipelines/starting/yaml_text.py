"""Values as YAML that a person likes to read: plain where YAML lets them be, in quotes where it would misread them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"^(?:\.{1,2}/|[A-Za-z_])[\w ()/.+-]*$")
# What YAML 1.1 or 1.2 takes for something else than a text.
_WORDS = frozenset({"y", "yes", "n", "no", "true", "false", "on", "off", "null", "nan", "inf", "none", "~"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def scalar(value: object) -> str:
    """Return one value as YAML on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return json.dumps(value)
    text = str(value)
    if _CONTROL.search(text):
        return json.dumps(text)
    if _PLAIN.match(text) and text.isascii() and text.lower() not in _WORDS and not text.endswith(" "):
        return text
    return "'" + text.replace("'", "''") + "'"


def flow(value: Any) -> str:
    """Return a value, mappings and lists included, as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def remark(text: str) -> str:
    """Return a text as a comment of one line."""
    return "# " + _CONTROL.sub(" ", text)


def noted(line: str, why: str | None) -> str:
    """Return a line with the reason behind it, if there is one."""
    return f"{line}  {remark(why)}" if why else line

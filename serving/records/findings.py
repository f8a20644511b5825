"""What is wrong with the values of one request."""

from __future__ import annotations

from typing import Any

import orjson

from serving.errors import Violation

SHOWN = 5
_SHOWN_CHARACTERS = 100


class Findings:
    """The violations of one request: all counted, the first few kept."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Violation] = []

    def add(self, column: str, rule: tuple[str, str], row: int, got: Any) -> None:
        """Note one value; `rule` is the rule's id and what it expects."""
        self.count += 1
        if len(self.first) < SHOWN:
            name, expected = rule
            self.first.append({"column": column, "rule": name, "row": row, "expected": expected, "got": _shown(got)})


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "..."
    return short(value) if isinstance(value, list | dict) else value


def short(value: Any) -> str:
    """Return the beginning of a JSON value as JSON."""
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        # It reads four times as many levels as it writes.
        return "lists or objects, nested very deeply"
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."

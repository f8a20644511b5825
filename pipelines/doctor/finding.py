"""One thing that was looked at, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes:
        what: The thing, in a word or two.
        said: What it is like.
        state: `note` is worth knowing and stops nothing; a `problem` stops some command.
        remedy: What to do about it; of every problem.
    """

    what: str
    said: str
    state: State = "ok"
    remedy: str | None = None


def problem(what: str, said: str, remedy: str) -> Finding:
    """Return what stops some command, with its remedy."""
    return Finding(what, said, "problem", remedy)


def note(what: str, said: str, remedy: str | None = None) -> Finding:
    """Return what is worth knowing."""
    return Finding(what, said, "note", remedy)

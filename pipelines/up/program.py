"""What a group is made of, and how patient its supervisor is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ANY_LINE = re.compile(".")


@dataclass(frozen=True)
class Program:
    """One program of a group.

    Attributes:
        name: A short word; the prefix of its lines and the stem of its log file.
        command: Program and arguments.
        environment: All its variables.
        log: The file that takes its output; rotated.
        ready_url: It is ready once this URL answers with 200.
        ready_line: It is ready once it prints a line that this matches at its beginning; the first group is kept.
        after: The programs that must have been ready before it starts. They are stopped after it.
        once: It does one thing and ends; ready once it has ended with 0, and any other end ends the group.
        grace_seconds: So long it may take to end before it is killed.
        shown: Which of its lines are shown once it is ready; before, none is, and the last ones are when it fails.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    ready_url: str | None = None
    ready_line: re.Pattern[str] | None = None
    after: tuple[str, ...] = ()
    once: bool = False
    grace_seconds: float = 10.0
    shown: re.Pattern[str] = ANY_LINE


@dataclass(frozen=True)
class Patience:
    """How a program that ends is started again.

    Attributes:
        first_pause: Seconds before the first new start; doubled with every further one.
        longest_pause: No pause is longer.
        proven_seconds: After a life of this length the next pause is the first one again.
        deaths: A program that ends so many times in a row before it is ready ends the group.
    """

    first_pause: float = 1.0
    longest_pause: float = 30.0
    proven_seconds: float = 60.0
    deaths: int = 5

    def pause_after(self, pause: float | None, lived: float) -> float:
        """Return the pause before the next start, from the one before the last start (None at first) and that life."""
        if pause is None or lived >= self.proven_seconds:
            return self.first_pause
        return min(self.longest_pause, pause * 2)

"""Lengths of time as people write them: `90m`, `24h`, `7d`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_WRITTEN = re.compile(r"(\d{1,6})([mhd])")
SAID = "a number of minutes, hours or days, such as 90m, 24h or 7d"


def read_duration(text: str) -> timedelta | None:
    """Return a length of time, or None where it is not written as one."""
    found = _WRITTEN.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None

"""Cron expressions and recurrence rules, read as Prefect's server reads them, before it sees them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from importlib import import_module
from itertools import islice, pairwise
from typing import Any

_CRON_FIELDS = 5
_CRON_EXAMPLE = "five fields (minute, hour, day, month, day of the week), such as `0 6 * * *` for six every morning"
_RRULE_EXAMPLE = "`FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6;BYMINUTE=0;BYSECOND=0`"
_MOST_RRULE_CHARACTERS = 6500
# Any start does to see whether something ever fires; Prefect counts rules without one from here.
_START = datetime(2020, 1, 1)  # noqa: DTZ001 - local times of whichever zone the schedule has
_LOOKED_AT = 50
_OFTEN = re.compile(r"FREQ\s*=\s*(HOURLY|MINUTELY)", re.IGNORECASE)
_WITHIN_A_DAY = re.compile(r";\s*(INTERVAL|BYHOUR|BYMINUTE|BYSECOND|BYSETPOS)\s*=[^;\s]*", re.IGNORECASE)


def require_cron(text: str) -> None:
    """Check a cron expression.

    Raises:
        ValueError: It is none, or fires never, or more often than once a minute.
    """
    croniter, never = _croniter()
    named = text.strip().startswith("@")
    if not named and len(text.split()) != _CRON_FIELDS:
        raise ValueError(f"expected {_CRON_EXAMPLE}, got {len(text.split())} fields in `{text}`")
    random = any(field.casefold()[:1] in {"r", "h"} for field in text.split())
    if random or not croniter.is_valid(text):
        raise ValueError(f"expected {_CRON_EXAMPLE}, got `{text}`{_wrong_field(text)}")
    try:
        croniter(text, _START).get_next(datetime)
    except never:
        raise ValueError(f"`{text}` never fires: no day is on it\n  do: name days that there are") from None


def require_rrule(text: str) -> None:
    """Check a recurrence rule of RFC 5545.

    Raises:
        ValueError: It is none, or has no time at all, or two of them less than a minute apart.
    """
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # noqa: PLC0415 - only a rule needs it

    if len(text) > _MOST_RRULE_CHARACTERS:
        raise ValueError(f"expected a rule of at most {_MOST_RRULE_CHARACTERS:,} characters, got {len(text):,}")
    if re.search(r"FREQ\s*=\s*SECONDLY", text, re.IGNORECASE):
        raise ValueError(f"expected times at least a minute apart, got `{text}`")
    # Minute by minute it takes a quarter of an hour to see that there is no such day.
    days = text if "EXRULE" in text.upper() else _WITHIN_A_DAY.sub("", _OFTEN.sub("FREQ=YEARLY", text))
    try:
        times = list(islice(rrulestr(days, dtstart=_START), 1))
        if times:
            times = list(islice(rrulestr(text, dtstart=_START), _LOOKED_AT))
    except (ValueError, TypeError, AttributeError) as error:
        # dateutil says what is wrong by whichever of these its parser runs into.
        raise ValueError(f"expected a recurrence rule such as {_RRULE_EXAMPLE}, got `{text}`: {error}") from error
    if not times:
        raise ValueError(f"`{text}` never fires: no time is on it\n  do: name days that there are")
    if any(later - earlier < timedelta(minutes=1) for earlier, later in pairwise(times)):
        raise ValueError(f"expected times at least a minute apart, got `{text}`\n  do: name one second, BYSECOND=0")


def _croniter() -> tuple[Any, type[Exception]]:
    """Return Prefect's reader of cron expressions, and what it raises for one that never fires; both untyped."""
    # With Prefect, which takes a second to import; only a config that has a schedule pays for it.
    module = import_module("prefect._vendor.croniter.croniter")
    return module.croniter, module.CroniterBadDateError


def _wrong_field(text: str) -> str:
    """Name the field that is wrong, by trying each beside fields that are right."""
    croniter, _ = _croniter()
    names = ("minute", "hour", "day", "month", "day of the week")
    for position, (name, field) in enumerate(zip(names, text.split(), strict=False)):
        alone = ["*"] * _CRON_FIELDS
        alone[position] = field
        if not croniter.is_valid(" ".join(alone)):
            return f": the {name} `{field}` is wrong"
    return ""

"""Dates and timestamps on the wire, each as microseconds since 1970 UTC."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from serving.bundle.manifest import NULL_TIMESTAMP, InputSpec

MICROS_PER_DAY = 86_400_000_000
_MICRO = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1
# `datetime.fromisoformat` also reads week dates and basic forms, which the contract's data may not have.
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)? ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
# The tables of time zones that the contract's data is read with end here; the last offset holds ever after.
_LAST_YEAR = 2037

Reader = Callable[[Any], int]


def instant_readers(spec: InputSpec) -> dict[str, Reader]:
    """Return how values are read, by their datatype on the wire; each raises TypeError or ValueError for no moment.

    Texts are read in the first of the input's forms that reads them, else as ISO 8601.

    Raises:
        ZoneInfoNotFoundError: This machine does not know the input's time zone.
    """
    zone = _zone(spec)
    text = partial(_first, readers=[*_forms(spec, zone), partial(_iso, zone=zone)])
    if spec.logical_type == "date":
        return {"BYTES": lambda value: _whole_day(text(value)), "INT64": lambda value: _whole_day(_micros(value))}
    return {"BYTES": text if spec.date_forms else partial(_iso, zone=zone), "INT64": _micros}


def constant_reader(spec: InputSpec) -> Reader:
    """Return how a value written in the contract is read: a number of microseconds, or ISO 8601 before other forms."""
    zone = _zone(spec)
    text = partial(_first, readers=[partial(_iso, zone=zone), *_forms(spec, zone)])
    return lambda value: _micros(value) if isinstance(value, int) else text(value)


def _zone(spec: InputSpec) -> ZoneInfo | None:
    return None if spec.zone == "UTC" else ZoneInfo(spec.zone)


def _forms(spec: InputSpec, zone: ZoneInfo | None) -> list[Reader]:
    return [partial(_formed, pattern=re.compile(form.pattern), zone=zone) for form in spec.date_forms]


def _first(value: Any, readers: Sequence[Reader]) -> int:
    for read in readers[:-1]:
        try:
            return read(value)
        except ValueError:
            continue
    return readers[-1](value)


def _iso(value: str, zone: ZoneInfo | None) -> int:
    if _ISO.fullmatch(value) is None:
        raise ValueError(value)
    moment = datetime.fromisoformat(value[:11] + value[11:].replace(" ", ""))
    return _since(moment.replace(tzinfo=UTC), zone) if moment.tzinfo is None else (moment - _EPOCH) // _MICRO


def _formed(value: str, pattern: re.Pattern[str], zone: ZoneInfo | None) -> int:
    found = pattern.fullmatch(value)
    if found is None:
        raise ValueError(value)
    parts = found.groupdict()
    year, month, day = (int(parts[name]) for name in ("year", "month", "day"))
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    micros = int((parts.get("fraction") or "").ljust(6, "0")[:6])
    moment = datetime(year, month, day, hour, minute, second, micros, UTC)
    offset = parts.get("offset")
    if not offset:
        return _since(moment, zone)
    if offset == "Z":
        return _since(moment, None)
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return _since(moment, None) + (minutes if offset[0] == "-" else -minutes) * 60_000_000


def _since(clock: datetime, zone: ZoneInfo | None) -> int:
    """Return the moment at which clocks in a zone show what `clock` shows in UTC.

    The earlier moment where they show it twice; where they skip it, the last one before the skip.
    """
    micros = (clock - _EPOCH) // _MICRO
    if zone is None:
        return micros
    if clock.year > _LAST_YEAR:
        return micros - _offset(datetime(_LAST_YEAR, 12, 31, tzinfo=UTC), zone)
    before = clock.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    after = clock.replace(tzinfo=zone, fold=1).utcoffset() or timedelta()
    if before >= after:
        return micros - before // _MICRO
    low, high = clock - after, clock - before
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        low, high = (low, middle) if _offset(middle, zone) == after // _MICRO else (middle, high)
    return (high.replace(microsecond=0) - _EPOCH) // _MICRO - 1


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    return (moment.astimezone(zone).utcoffset() or timedelta()) // _MICRO


def _micros(value: int) -> int:
    # The smallest INT64 stands for null inside the graph, so it is no moment.
    if type(value) is not int or not NULL_TIMESTAMP < value <= _LARGEST:
        raise ValueError(value)
    return value


def _whole_day(micros: int) -> int:
    if micros % MICROS_PER_DAY:
        raise ValueError(micros)
    return micros

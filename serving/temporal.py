"""Dates and timestamps on the wire, each as microseconds since 1970 UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from serving.bundle.manifest import NULL_TIMESTAMP

MICROS_PER_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1
# `datetime.fromisoformat` also reads week dates and basic forms, which the contract's data may not have.
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)? ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def _timestamp(value: str) -> int:
    if _ISO.fullmatch(value) is None:
        raise ValueError(value)
    moment = datetime.fromisoformat(value[:11] + value[11:].replace(" ", ""))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return since.days * MICROS_PER_DAY + since.seconds * 1_000_000 + since.microseconds


def _date(value: str) -> int:
    # `date.fromisoformat` also reads 20130101 and 2013-W01-1.
    if len(value) != 10 or value[4] != "-" or value[7] != "-":
        raise ValueError(value)
    return (date.fromisoformat(value).toordinal() - _EPOCH.toordinal()) * MICROS_PER_DAY


def _micros(value: int) -> int:
    # The smallest INT64 stands for null inside the graph, so it is no moment.
    if type(value) is not int or not NULL_TIMESTAMP < value <= _LARGEST:
        raise ValueError(value)
    return value


def _day_micros(value: int) -> int:
    if _micros(value) % MICROS_PER_DAY:
        raise ValueError(value)
    return value


# By (logical type, datatype on the wire). Each raises TypeError or ValueError for any value that is not such a moment.
PARSERS: dict[tuple[str, str], Callable[[Any], int]] = {
    ("timestamp", "BYTES"): _timestamp,
    ("timestamp", "INT64"): _micros,
    ("date", "BYTES"): _date,
    ("date", "INT64"): _day_micros,
}

"""Calendar parts of instants by integer arithmetic alone, so that an ONNX graph can do exactly the same.

Instants are int64 microseconds since 1970-01-01T00:00 UTC in the proleptic Gregorian calendar. Division rounds down,
so instants before 1970 need no special case. Days become dates by Howard Hinnant's `civil_from_days`
(https://howardhinnant.github.io/date_algorithms.html), which counts years from 1 March so that a leap day ends one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tasks.preprocessing.constants import CalendarPart

Int64s = NDArray[np.int64]

MICROSECONDS_PER_MINUTE = 60_000_000
MICROSECONDS_PER_HOUR = 60 * MICROSECONDS_PER_MINUTE
MICROSECONDS_PER_DAY = 24 * MICROSECONDS_PER_HOUR

# 1970-01-01 was a Thursday; days are counted from Monday.
_EPOCH_WEEKDAY = 3
_DAYS_FROM_MARCH_0000 = 719_468
_DAYS_PER_ERA = 146_097


def civil_from_days(days: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """Return year, month (1 to 12) and day of the month (1 to 31) of days since 1970-01-01."""
    shifted = days + _DAYS_FROM_MARCH_0000
    era = shifted // _DAYS_PER_ERA
    day_of_era = shifted - era * _DAYS_PER_ERA
    leaps = day_of_era // 1_460 - day_of_era // 36_524 + day_of_era // 146_096
    year_of_era = (day_of_era - leaps) // 365
    day_of_march_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_march_year + 2) // 153
    day = day_of_march_year - (153 * march_month + 2) // 5 + 1
    month = march_month + 3 - 12 * (march_month // 10)
    year = year_of_era + era * 400 + march_month // 10
    return year, month, day


def days_before_year(year: Int64s) -> Int64s:
    """Return the days from 1970-01-01 to 1 January of a year."""
    before = year - 1
    return 365 * before + before // 4 - before // 100 + before // 400 - 719_162


def _month(days: Int64s) -> Int64s:
    return civil_from_days(days)[1]


def _day_of_month(days: Int64s) -> Int64s:
    return civil_from_days(days)[2]


def _day_of_week(days: Int64s) -> Int64s:
    shifted = days + _EPOCH_WEEKDAY
    return shifted - shifted // 7 * 7 + 1


def _day_of_year(days: Int64s) -> Int64s:
    return days - days_before_year(civil_from_days(days)[0]) + 1


_DAY_PARTS: Mapping[CalendarPart, Callable[[Int64s], Int64s]] = {
    "month": _month,
    "day_of_month": _day_of_month,
    "day_of_week": _day_of_week,
    "day_of_year": _day_of_year,
}
# Of parts within the day: how long a unit is, and how many there are.
_CLOCK_PARTS: Mapping[CalendarPart, tuple[int, int]] = {
    "hour": (MICROSECONDS_PER_HOUR, 24),
    "minute_of_day": (MICROSECONDS_PER_MINUTE, 1_440),
}
# Of each cyclic part: its least value, and after how many it comes again (366 days: the last of a common year is near).
_CYCLES: Mapping[CalendarPart, tuple[int, int]] = {
    "month": (1, 12),
    "day_of_week": (1, 7),
    "day_of_year": (1, 366),
    "hour": (0, 24),
    "minute_of_day": (0, 1_440),
}


def calendar_part(instants: Int64s, part: CalendarPart) -> Int64s:
    """Return one calendar part of instants, in UTC.

    Args:
        instants: int64 [N], microseconds since 1970-01-01T00:00 UTC.
        part: `month` 1 to 12, `day_of_month` 1 to 31, `day_of_week` 1 (Monday) to 7 (Sunday), `day_of_year` 1 to 366,
            `hour` 0 to 23, `minute_of_day` 0 to 1,439.

    Returns:
        int64 [N].
    """
    if part in _DAY_PARTS:
        return _DAY_PARTS[part](instants // MICROSECONDS_PER_DAY)
    unit, count = _CLOCK_PARTS[part]
    units = instants // unit
    return units - units // count * count


def calendar_table(instants: Int64s, part: CalendarPart) -> tuple[Int64s, Int64s]:
    """Return one calendar part of instants as a small table of values and each instant's place in it.

    Many instants share few days, so the calendar is asked once a day and not once a row.

    Args:
        instants: int64 [N], at least one.
        part: As in `calendar_part`.

    Returns:
        Values int64 [P], not all of which need occur or be distinct, and positions int64 [N].
    """
    if part in _CLOCK_PARTS:
        return np.arange(_CLOCK_PARTS[part][1]), calendar_part(instants, part)
    days = instants // MICROSECONDS_PER_DAY
    first, last = int(days.min()), int(days.max())
    if last - first < max(2 * len(days), 4_096):
        return _DAY_PARTS[part](np.arange(first, last + 1)), days - first
    distinct, positions = np.unique(days, return_inverse=True)
    return _DAY_PARTS[part](distinct), positions


def cycle(part: CalendarPart) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return the sine and cosine of every value of a cyclic part.

    Returns:
        The least value of the part, and float64 [values] of sines and of cosines from that value on.
    """
    first, count = _CYCLES[part]
    angles = 2 * np.pi * np.arange(count) / count
    return first, np.sin(angles), np.cos(angles)

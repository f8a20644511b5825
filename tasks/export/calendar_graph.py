"""Calendar parts of a timestamp as ONNX operators: the integer arithmetic of `tasks.preprocessing.calendar`."""

from __future__ import annotations

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.preprocessing.constants import CalendarPart

_MICROS_PER_MINUTE = 60 * 10**6
_MICROS_PER_HOUR = 60 * _MICROS_PER_MINUTE
_MICROS_PER_DAY = 24 * _MICROS_PER_HOUR
_DAYS_PER_ERA = 146_097  # 400 Gregorian years
_DAYS_TO_EPOCH = 719_468  # from 0000-03-01, where an era begins, to 1970-01-01


def calendar_parts(micros: Var) -> dict[CalendarPart, Var]:
    """Return every calendar part; the builder leaves out those that nothing uses.

    The method is Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms"): years begin in
    March, so that the leap day ends a year and the months follow one linear formula. ONNX's integer `Div` truncates
    towards zero, so dates before 1970 are first brought into a non-negative range by `Mod`, which floors.

    Args:
        micros: int64 [batch], microseconds since 1970-01-01 UTC; far enough from the type's ends that a day fits.

    Returns:
        int64 [batch] for each part, in UTC and the proleptic Gregorian calendar.
    """
    within_day = op.mod(micros, _int(_MICROS_PER_DAY))
    days = op.div(op.sub(micros, within_day), _int(_MICROS_PER_DAY))
    day_of_era = op.mod(op.add(days, _int(_DAYS_TO_EPOCH)), _int(_DAYS_PER_ERA))
    year, day_of_year = _year_of_era(day_of_era)
    month = op.div(op.add(op.mul(day_of_year, _int(5)), _int(2)), _int(153))
    days_before_month = op.div(op.add(op.mul(month, _int(153)), _int(2)), _int(5))
    return {
        "month": op.where(op.less(month, _int(10)), op.add(month, _int(3)), op.sub(month, _int(9))),
        "day_of_month": op.add(op.sub(day_of_year, days_before_month), _int(1)),
        "day_of_week": op.add(op.mod(op.add(days, _int(3)), _int(7)), _int(1)),
        "day_of_year": _day_of_calendar_year(year, day_of_year),
        "hour": op.div(within_day, _int(_MICROS_PER_HOUR)),
        "minute_of_day": op.div(within_day, _int(_MICROS_PER_MINUTE)),
    }


def _int(value: int) -> Var:
    return op.const(np.array(value, np.int64))


def _year_of_era(day_of_era: Var) -> tuple[Var, Var]:
    """Return the year (0..399) and the day in it (0..365), both counted from the first of March."""
    leap_corrected = op.add(
        op.sub(day_of_era, op.div(day_of_era, _int(1460))),
        op.sub(op.div(day_of_era, _int(36_524)), op.div(day_of_era, _int(146_096))),
    )
    year = op.div(leap_corrected, _int(365))
    century_corrected = op.sub(op.div(year, _int(4)), op.div(year, _int(100)))
    return year, op.sub(day_of_era, op.add(op.mul(year, _int(365)), century_corrected))


def _day_of_calendar_year(year: Var, day_of_year: Var) -> Var:
    """Count from the first of January: March to December stand 60 or 61 days in, January and February follow them."""
    divisible = [op.equal(op.mod(year, _int(n)), _int(0)) for n in (4, 100, 400)]
    leap = op.and_(divisible[0], op.or_(op.not_(divisible[1]), divisible[2]))
    from_march = op.add(op.add(day_of_year, _int(60)), op.cast(leap, to=np.int64))
    from_january = op.sub(day_of_year, _int(305))
    return op.where(op.less(day_of_year, _int(306)), from_march, from_january)

"""Timestamps as ONNX operators: every calendar part is looked up in a table that `tasks.preprocessing.calendar` fills.

What a feature makes of a part (a number, a code, a sine) stands in the table itself, so it costs one operator. Where a
timestamp stands in the table takes a few more, and is emitted once. The Gregorian calendar repeats after 400 years, a
whole number of weeks. A table of four years does for it once the three days are put back that a period leaves out,
29 February of 2100 and the like: 1 March 2100 then stands where it stands in a leap year.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

import numpy as np
import spox.opset.ai.onnx.v18 as op
from numpy.typing import NDArray
from spox import Var

from tasks.preprocessing.calendar import MICROSECONDS_PER_DAY, MICROSECONDS_PER_MINUTE, calendar_part
from tasks.preprocessing.constants import CalendarPart

Clock = Literal["date", "day_of_year", "weekday", "minute"]

_DAYS_PER_PERIOD = 146_097
_DAYS_PER_FOUR_YEARS = 1_461
_DAYS_PER_CENTURY = 36_524  # of the three in a period that do not begin with a leap year
# Days since 1970 from where on a day is missing. A common year has the numbers of a leap year up to its end, so the day
# of the year goes on as it is until 2101.
_FIRST_MISSING = {"date": 47_541, "day_of_year": 47_847}
_CLOCKS: dict[CalendarPart, Clock] = {
    "month": "date",
    "day_of_month": "date",
    "day_of_year": "day_of_year",
    "day_of_week": "weekday",
    "hour": "minute",
    "minute_of_day": "minute",
}
# Of each clock: its places, and the microseconds from one to the next, both from 1970-01-01 on.
_PLACES: dict[Clock, tuple[int, int]] = {
    "date": (_DAYS_PER_FOUR_YEARS, MICROSECONDS_PER_DAY),
    "day_of_year": (_DAYS_PER_FOUR_YEARS, MICROSECONDS_PER_DAY),
    "weekday": (7, MICROSECONDS_PER_DAY),
    "minute": (1_440, MICROSECONDS_PER_MINUTE),
}


class CalendarGraph:
    """A timestamp's places in the tables of calendar parts; what several features need is emitted once.

    Args:
        micros: int64 [batch], microseconds since 1970-01-01 UTC, any that the type holds.
        null: Where there is no timestamp, bool [batch]; None if there always is one.
    """

    def __init__(self, micros: Var, null: Var | None) -> None:
        self._micros = micros
        self._null = null
        self._places: dict[Clock, Var] = {}

    def look_up(self, part: CalendarPart, table: Callable[[NDArray[np.int64]], NDArray[Any]], null: Any) -> Var:
        """Return what a table says of a calendar part, [batch], in UTC and the proleptic Gregorian calendar.

        Args:
            part: The part.
            table: Gives what values of the part, int64 [P], become, [P]; its type is the result's.
            null: What null becomes.
        """
        clock = _CLOCKS[part]
        count, step = _PLACES[clock]
        if clock not in self._places:
            place = self._place(clock)
            self._places[clock] = place if self._null is None else op.where(self._null, _int(count), place)
        values = table(calendar_part(np.arange(count) * step, part))
        return op.gather(op.const(np.append(values, np.array(null, values.dtype))), self._places[clock])

    def _place(self, clock: Clock) -> Var:
        if clock == "minute":
            return op.div(op.mod(self._micros, _int(MICROSECONDS_PER_DAY)), _int(MICROSECONDS_PER_MINUTE))
        if clock == "weekday":
            return op.mod(self._day_of_period, _int(7))
        # Before the first missing day the quotient is 0, as the operator truncates.
        since = op.sub(self._day_of_period, _int(_FIRST_MISSING[clock] - _DAYS_PER_CENTURY))
        missing = op.div(since, _int(_DAYS_PER_CENTURY))
        return op.mod(op.add(self._day_of_period, missing), _int(_DAYS_PER_FOUR_YEARS))

    @cached_property
    def _day_of_period(self) -> Var:
        # `Mod` floors where `Div` truncates: after it, dates before 1970 need no more care.
        return op.div(op.mod(self._micros, _int(_DAYS_PER_PERIOD * MICROSECONDS_PER_DAY)), _int(MICROSECONDS_PER_DAY))


def _int(value: int) -> Var:
    return op.const(np.array(value, np.int64))

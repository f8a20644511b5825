import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.preprocessing.calendar import calendar_part, civil_from_days, days_before_year

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
PARTS = {
    "month": lambda at: at.month,
    "day_of_month": lambda at: at.day,
    "day_of_week": lambda at: at.isoweekday(),
    "day_of_year": lambda at: at.timetuple().tm_yday,
    "hour": lambda at: at.hour,
    "minute_of_day": lambda at: at.hour * 60 + at.minute,
}


def _microseconds(at: dt.datetime) -> int:
    return (at - EPOCH) // dt.timedelta(microseconds=1)


@pytest.mark.parametrize("part", PARTS)
@given(instants=st.lists(st.datetimes(timezones=st.just(dt.UTC)), min_size=1, max_size=50))
@settings(max_examples=60, deadline=None)
def test_parts_agree_with_the_standard_library(part, instants):
    found = calendar_part(np.array([_microseconds(at) for at in instants], dtype=np.int64), part)
    assert found.dtype == np.int64
    assert found.tolist() == [PARTS[part](at) for at in instants]


@pytest.mark.parametrize(
    ("text", "day_of_year", "day_of_week"),
    [
        ("1969-12-31T23:59:59.999999", 365, 3),
        ("1970-01-01T00:00:00", 1, 4),
        ("1900-03-01T00:00:00", 60, 4),
        ("2000-02-29T12:00:00", 60, 2),
        ("2000-12-31T23:59:59", 366, 7),
        ("0001-01-01T00:00:00", 1, 1),
        ("9999-12-31T23:59:59.999999", 365, 5),
    ],
)
def test_days_at_the_edges(text, day_of_year, day_of_week):
    instant = np.array([_microseconds(dt.datetime.fromisoformat(text + "+00:00"))], dtype=np.int64)
    assert calendar_part(instant, "day_of_year").tolist() == [day_of_year]
    assert calendar_part(instant, "day_of_week").tolist() == [day_of_week]


def test_every_day_of_four_centuries_follows_the_one_before():
    days = np.arange(-146_097, 146_097, dtype=np.int64)
    year, month, day = civil_from_days(days)
    start = dt.date(1970, 1, 1).toordinal()
    sampled = range(0, len(days), 997)
    assert [dt.date(year[i], month[i], day[i]).toordinal() - start for i in sampled] == [int(days[i]) for i in sampled]
    first = (month == 1) & (day == 1)
    assert (days_before_year(year)[first] == days[first]).all()


def test_parts_exist_for_instants_that_the_standard_library_cannot_say():
    far = np.array([-(2**62), 2**62], dtype=np.int64)
    assert ((calendar_part(far, "month") >= 1) & (calendar_part(far, "month") <= 12)).all()
    assert ((calendar_part(far, "day_of_year") >= 1) & (calendar_part(far, "day_of_year") <= 366)).all()

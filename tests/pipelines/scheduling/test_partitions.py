"""Partitions of time and of lists: none is left out, none comes twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.scheduling.partitions import By, PartitionsConfig
from tasks.errors import ConfigError

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
BY = st.sampled_from(["day", "week", "month", "year"])
# With midnights that there are not, days of other lengths, and one day that never was.
ZONES = st.sampled_from(
    ["UTC", "Europe/Vienna", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia"]
)


def first_day(by: By, name: str) -> date:
    if by == "week":
        return date.fromisocalendar(int(name[:4]), int(name[6:]), 1)
    return date.fromisoformat((name + "-01-01")[:10])


@given(by=BY, start=DAYS, length=st.integers(0, 500), zone=ZONES)
def test_a_range_has_every_day_in_exactly_one_partition(by: By, start: date, length: int, zone: str) -> None:
    config = PartitionsConfig(by=by, first=start, timezone=zone)
    noon = datetime.combine(start + timedelta(days=length), datetime.min.time(), ZoneInfo(zone)) + timedelta(hours=12)
    last = config.last_complete(noon)
    if last is None:
        assert length < 366
        return
    names = config.between(None, last)
    assert names[0] == config.example
    assert names[-1] == last
    assert len(set(names)) == len(names)
    assert names == sorted(names)
    begins = [first_day(by, name) for name in names]
    assert begins[0] <= start
    longest = {"day": 1, "week": 7, "month": 31, "year": 366}[by]
    gaps = [later - earlier for earlier, later in pairwise(begins)]
    # A partition's end is the next one's beginning: by its length, and by what calendar dates say of it.
    assert all(timedelta(days=min(longest, 28 if by == "month" else longest - 1)) <= gap for gap in gaps)
    assert all(gap <= timedelta(days=longest) for gap in gaps)
    for earlier, later in zip(names, begins[1:], strict=False):
        day_before = PartitionsConfig(by=by, first=later - timedelta(days=1))
        assert day_before.example == earlier


@given(by=BY, moment=st.datetimes(datetime(1995, 1, 1), datetime(2050, 1, 1)), zone=ZONES)  # noqa: DTZ001
def test_what_is_complete_stays_complete_and_the_next_is_not(by: By, moment: datetime, zone: str) -> None:
    config = PartitionsConfig(by=by, first=date(1980, 1, 1), timezone=zone)
    now = moment.replace(tzinfo=UTC)
    last = config.last_complete(now)
    assert last is not None
    assert config.is_complete(last, now)
    assert config.is_complete(last, now + timedelta(days=1))
    today = PartitionsConfig(by=by, first=now.astimezone(ZoneInfo(zone)).date(), timezone=zone).example
    assert config.between(last, today) == [last, today]
    assert not config.is_complete(today, now)


def test_a_day_is_over_when_it_is_over_in_its_zone() -> None:
    config = PartitionsConfig(by="day", first=date(2026, 1, 1), timezone="America/New_York")
    assert config.last_complete(datetime(2026, 3, 9, 3, 59, tzinfo=UTC)) == "2026-03-07"
    assert config.last_complete(datetime(2026, 3, 9, 4, 0, tzinfo=UTC)) == "2026-03-08"


def test_weeks_are_those_of_iso_8601_over_the_end_of_a_year() -> None:
    config = PartitionsConfig(by="week", first=date(2020, 12, 25))
    assert config.between(None, "2021-W02") == ["2020-W52", "2020-W53", "2021-W01", "2021-W02"]


def test_before_the_first_nothing_is_complete() -> None:
    config = PartitionsConfig(by="month", first=date(2026, 5, 20))
    assert config.example == "2026-05"
    assert config.last_complete(datetime(2026, 5, 31, tzinfo=UTC)) is None
    assert config.last_complete(datetime(2026, 6, 1, tzinfo=UTC)) == "2026-05"


@pytest.mark.parametrize(
    ("by", "name"),
    [
        ("day", "2013-02-30"),
        ("day", "2013-5-1"),
        ("week", "2013-W54"),
        ("week", "2021-W53"),
        ("month", "2013-13"),
        ("month", "2013-05-01"),
        ("month", "../../05"),
        ("year", "13"),
        ("year", "9999"),
        ("year", "\uff12\uff10\uff11\uff13"),
    ],
)
def test_what_is_no_partition_is_refused(by: By, name: str) -> None:
    with pytest.raises(ConfigError, match=f"expected a {by} such as"):
        PartitionsConfig(by=by, first=date(2013, 1, 1)).require(name)


def test_a_partition_before_the_first_and_a_range_backwards_are_refused() -> None:
    config = PartitionsConfig(by="month", first=date(2013, 3, 1))
    with pytest.raises(ConfigError, match="expected 2013-03, the first, or a later one"):
        config.require("2013-02")
    with pytest.raises(ConfigError, match="from 2013-06 to 2013-04 there is no partition"):
        config.between("2013-06", "2013-04")


def test_a_list_has_its_order_and_its_nearest_name() -> None:
    config = PartitionsConfig(values=("north", "south", "east"))
    assert config.between("south", None) == ["south", "east"]
    assert config.is_complete("north", datetime.now(UTC))
    with pytest.raises(ConfigError, match="did you mean `south`"):
        config.require("suoth")
    with pytest.raises(ConfigError, match="a point in time does not tell"):
        config.last_complete(datetime.now(UTC))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "expected either `by` or `values`"),
        ({"by": "month"}, "`by` and `from` belong together"),
        ({"values": ["a"], "from": "2013-01-01"}, "`by` and `from` belong together"),
        ({"by": "day", "from": "2013-01-01", "values": ["a"]}, "expected either `by` or `values`"),
        ({"values": ["a", "b", "a"]}, "several of a"),
        ({"values": ["../a"]}, "expected letters, digits"),
        ({"by": "day", "from": "2013-01-01", "timezone": "New York"}, "write `America/New_York`"),
        ({"by": "day", "from": "9999-01-01"}, "of the year 9998 at the latest"),
    ],
)
def test_a_wrong_section_is_refused(section: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PartitionsConfig.model_validate(section)
    assert said in str(caught.value)

"""When schedules fire next, and how they stand at the server."""

from __future__ import annotations

from datetime import UTC, datetime

from pipelines.scheduling.config import ScheduleConfig
from pipelines.scheduling.fire_times import fire_times
from pipelines.scheduling.planned import paused_by_a_person, schedules_at_server

# In Vienna the clocks go forward on the 29th.
BEFORE = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)


def test_a_cron_schedule_keeps_its_hour_over_a_change_of_the_clocks() -> None:
    found = fire_times([ScheduleConfig(cron="0 6 * * *", timezone="Europe/Vienna")], BEFORE, 3)
    assert [time.isoformat() for time in found] == [
        "2026-03-28T06:00:00+01:00",
        "2026-03-29T06:00:00+02:00",
        "2026-03-30T06:00:00+02:00",
    ]


def test_the_times_of_several_schedules_come_in_order_and_without_the_paused() -> None:
    schedules = [
        ScheduleConfig(interval="6h"),
        ScheduleConfig(rrule="FREQ=DAILY;BYHOUR=9;BYMINUTE=30;BYSECOND=0"),
        ScheduleConfig(cron="0 1 * * *", paused=True),
    ]
    found = fire_times(schedules, BEFORE, 3)
    assert [f"{time:%H:%M}" for time in found] == ["06:00", "09:30", "12:00"]


def test_an_interval_is_the_same_whenever_it_is_deployed() -> None:
    (first,), (second,) = (schedules_at_server([ScheduleConfig(interval="5h")]) for _ in range(2))
    assert first == second


def test_what_a_person_paused_stays_paused_and_what_the_config_paused_does_not() -> None:
    daily, often = ScheduleConfig(cron="0 6 * * *"), ScheduleConfig(interval="1h", paused=True)
    first, second = schedules_at_server([daily, often])
    assert (first.active, second.active) == (True, False)
    assert not paused_by_a_person(second.slug, active=False)
    assert paused_by_a_person(first.slug, active=False)
    kept, _ = schedules_at_server([daily, often], [first.schedule])
    assert not kept.active
    (started,) = schedules_at_server([often.model_copy(update={"paused": False})])
    assert started.active

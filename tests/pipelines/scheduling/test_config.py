"""Schedules in a config: what is right, and what is refused with its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.check import check_pipeline
from pipelines.config import load_pipeline
from pipelines.scheduling.config import ScheduleConfig, missed_of, overlap_of
from pipelines.scheduling.expressions import require_rrule
from tasks.errors import ConfigError
from tests.end_to_end.customers import PIPELINE, write_project

LINE = PIPELINE.count("\n") + 1


def write(folder: Path, section: str) -> Path:
    path = folder / "customers.yaml"
    path.write_text(PIPELINE + section)
    return path


@pytest.mark.parametrize(
    "section",
    [
        "schedule: {cron: '0 6 * * *', timezone: Europe/Vienna}",
        "schedule: {cron: '@daily'}",
        "schedule: {cron: '0 0 29 2 *'}",
        "schedule: {interval: 6h}",
        "schedule: {interval: 1d12h, overlap: queue, missed: all}",
        "schedule: {rrule: 'FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6;BYMINUTE=0;BYSECOND=0', paused: true}",
        "schedule: [{cron: '0 6 * * 1-5'}, {interval: 1w, missed: skip}]",
    ],
)
def test_a_schedule_is_read(tmp_path: Path, section: str) -> None:
    assert load_pipeline(write(tmp_path, section)).schedule


def test_a_pipeline_without_a_schedule_has_none_and_still_runs_alone(tmp_path: Path) -> None:
    schedule = load_pipeline(write(tmp_path, "")).schedule
    assert schedule == ()
    assert (overlap_of(schedule), missed_of(schedule)) == ("skip", "latest")


@pytest.mark.parametrize(
    ("section", "key", "said"),
    [
        ("schedule: {cron: '0 6 * *'}", "schedule.cron", "got 4 fields"),
        ("schedule: {cron: '* * * * * *'}", "schedule.cron", "got 6 fields"),
        ("schedule: {cron: '0 25 * * *'}", "schedule.cron", "the hour `25` is wrong"),
        ("schedule: {cron: '0 6 * * Mox'}", "schedule.cron", "the day of the week `Mox` is wrong"),
        ("schedule: {cron: 'R 6 * * *'}", "schedule.cron", "expected five fields"),
        ("schedule: {cron: '0 0 30 2 *'}", "schedule.cron", "never fires"),
        ("schedule: {cron: '0 6 * * *', timezone: Viena}", "schedule.timezone", "write `Europe/Vienna`"),
        ("schedule: {interval: 6}", "schedule.interval", "got 6"),
        ("schedule: {interval: 6 hours}", "schedule.interval", "such as 30m, 6h, 1d or 2w"),
        ("schedule: {interval: 0m}", "schedule.interval", "at least 1m"),
        ("schedule: {interval: 999999w}", "schedule.interval", "at most ten years"),
        ("schedule: {rrule: FREQ=DALY}", "schedule.rrule", "expected a recurrence rule"),
        ("schedule: {rrule: 'FREQ=SECONDLY'}", "schedule.rrule", "at least a minute apart"),
        ("schedule: {rrule: 'FREQ=MINUTELY;BYSECOND=0,30'}", "schedule.rrule", "at least a minute apart"),
        ("schedule: {rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'}", "schedule.rrule", "never fires"),
        ("schedule: {cron: '0 6 * * *', interval: 6h}", "schedule", "got cron and interval"),
        ("schedule: {timezone: UTC}", "schedule", "got none"),
        ("schedule: {corn: '0 6 * * *'}", "schedule.corn", "did you mean `cron`?"),
        ("schedule: often", "schedule", "expected a mapping"),
        ("schedule: {cron: '0 6 * * *', missed: all}", "schedule", "write `overlap: queue`"),
        ("schedule: {cron: '0 6 * * *', overlap: wait}", "schedule.overlap", "'skip' or 'queue'"),
    ],
)
def test_a_wrong_schedule_is_refused_with_its_line(tmp_path: Path, section: str, key: str, said: str) -> None:
    path = write(tmp_path, section)
    with pytest.raises(ConfigError) as caught:
        load_pipeline(path)
    assert str(caught.value).startswith(f"{path}:{LINE}: {key}: ")
    assert said in str(caught.value)


def test_the_one_of_several_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "schedule:\n  - {interval: 6h}\n  - {cron: '0 6 * * 9'}\n")
    with pytest.raises(ConfigError, match=rf"yaml:{LINE + 2}: schedule.1.cron: "):
        load_pipeline(path)


def test_what_holds_for_the_whole_pipeline_is_said_once(tmp_path: Path) -> None:
    path = write(tmp_path, "schedule: [{interval: 6h, overlap: queue}, {interval: 5h, overlap: skip}]")
    with pytest.raises(ConfigError, match="`overlap` is one for the whole pipeline, got queue and skip"):
        load_pipeline(path)


def test_a_schedule_over_a_list_of_partitions_is_refused(tmp_path: Path) -> None:
    write_project(tmp_path, rows=20)
    path = tmp_path / "customers.yaml"
    cut = PIPELINE.replace("customers.csv", "customers-{partition}.csv")
    path.write_text(cut + "partitions: {values: [north, south]}\nschedule: {interval: 6h}\n")
    with pytest.raises(ConfigError, match=rf"yaml:{LINE + 1}: schedule: a scheduled run takes the last partition"):
        check_pipeline(path)


def test_an_interval_is_added_up() -> None:
    assert ScheduleConfig(interval="1w2d3h4m").every == timedelta(weeks=1, days=2, hours=3, minutes=4)


def test_a_rule_of_minutes_on_a_day_that_is_none_is_refused_before_long() -> None:
    with pytest.raises(ValueError, match="never fires"):
        require_rrule("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30")
    require_rrule("FREQ=MINUTELY;INTERVAL=15;BYHOUR=9;BYDAY=MO")
    require_rrule("RRULE:FREQ=HOURLY\nEXRULE:FREQ=HOURLY;BYHOUR=3")

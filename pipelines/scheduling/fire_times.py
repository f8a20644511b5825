"""When schedules fire next, as Prefect's server reckons it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from pipelines.scheduling.config import ScheduleConfig
from pipelines.scheduling.planned import prefect_schedule
from pipelines.scheduling.timezones import zone

_SERVERS: dict[str, Any] = {
    "CronSchedule": CronSchedule,
    "IntervalSchedule": IntervalSchedule,
    "RRuleSchedule": RRuleSchedule,
}


def fire_times(schedules: Sequence[ScheduleConfig], after: datetime, count: int) -> list[datetime]:
    """Return the next times at which schedules fire that are not paused, each in its schedule's zone.

    Args:
        schedules: Of one pipeline.
        after: With its zone; later times only.
        count: How many at most.
    """
    each = [_times(schedule, after, count) for schedule in schedules if not schedule.paused]
    return list(heapq.merge(*each))[:count]


def _times(schedule: ScheduleConfig, after: datetime, count: int) -> list[datetime]:
    client = prefect_schedule(schedule)
    server = _SERVERS[type(client).__name__].model_validate(client.model_dump())
    # One more: the server counts the very moment too.
    found = asyncio.run(server.get_dates(n=count + 1, start=after))
    return [time.astimezone(zone(schedule.timezone)) for time in found if time > after][:count]

"""The section `schedule`: when a pipeline runs by itself, and what happens when that cannot be."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, field_validator, model_validator

from pipelines.scheduling.expressions import require_cron, require_rrule
from pipelines.scheduling.timezones import known_timezone

Overlap = Literal["skip", "queue"]
Missed = Literal["skip", "latest", "all"]

_KINDS = ("cron", "interval", "rrule")
_INTERVAL = re.compile(r"(?:[0-9]{1,6}[wdhm])+")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=3660)


class ScheduleConfig(BaseModel):
    """One time-table; a pipeline may have several.

    Attributes:
        cron: Five fields, minute, hour, day of the month, month and day of the week.
        interval: Whole weeks, days, hours and minutes, such as `6h`, `30m` or `1d12h`, counted from the beginning of
            2020 in the zone.
        rrule: A recurrence rule of RFC 5545, such as `FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6;BYMINUTE=0;BYSECOND=0`.
        timezone: In which the times are meant.
        paused: Registered, and does not run.
        overlap: What becomes of a run that is due while one of the same pipeline is at work: it is cancelled (`skip`,
            the default) or waits (`queue`). One for the whole pipeline.
        missed: What becomes of runs that were due while nothing could run them: none is made up for (`skip`), one for
            all of them (`latest`, the default) or each (`all`). One for the whole pipeline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str | None = None
    interval: str | None = None
    rrule: str | None = None
    timezone: str = "UTC"
    paused: bool = False
    overlap: Overlap | None = None
    missed: Missed | None = None

    @field_validator("cron")
    @classmethod
    def _fires(cls, value: str | None) -> str | None:
        if value is not None:
            require_cron(value)
        return value

    @field_validator("interval")
    @classmethod
    def _long_enough(cls, value: str | None) -> str | None:
        if value is None:
            return value
        if not _INTERVAL.fullmatch(value):
            raise ValueError(f"expected a number and its unit, such as 30m, 6h, 1d or 2w, got `{value}`")
        if not _SHORTEST <= _duration(value) <= _LONGEST:
            raise ValueError(f"expected at least 1m and at most ten years, got `{value}`")
        return value

    @field_validator("rrule")
    @classmethod
    def _recurs(cls, value: str | None) -> str | None:
        if value is not None:
            require_rrule(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_timezone(value)

    @model_validator(mode="after")
    def _one_kind(self) -> ScheduleConfig:
        said = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(said) != 1:
            raise ValueError(
                f"expected one of cron, interval and rrule, got {' and '.join(said) or 'none'}\n"
                "  do: write one; several time-tables are a list, each with its own"
            )
        return self

    @property
    def every(self) -> timedelta:
        """The interval; only of a schedule that has one."""
        assert self.interval is not None
        return _duration(self.interval)

    def __str__(self) -> str:
        """Return it in words."""
        said = next(f"{kind} `{value}`" for kind in _KINDS if (value := getattr(self, kind)) is not None)
        return f"{said.replace('interval', 'every')} ({self.timezone}){', paused' if self.paused else ''}"


def overlap_of(schedules: tuple[ScheduleConfig, ...]) -> Overlap:
    """Return what becomes of a run that is due while one is at work; also that of a pipeline without a schedule."""
    return next((each.overlap for each in schedules if each.overlap is not None), "skip")


def missed_of(schedules: tuple[ScheduleConfig, ...]) -> Missed:
    """Return what becomes of runs that were due while nothing could run them."""
    return next((each.missed for each in schedules if each.missed is not None), "latest")


def _duration(text: str) -> timedelta:
    parts = re.findall(r"([0-9]+)([wdhm])", text)
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


def _listed(value: Any) -> Any:
    """Take a single schedule for a list of one."""
    if value is not None and not isinstance(value, dict | list | tuple):
        raise ValueError(f"expected a mapping such as {{cron: 0 6 * * *}}, or a list of such, got {value!r}")
    return [] if value is None else [value] if isinstance(value, dict) else value


def _agreed(value: tuple[ScheduleConfig, ...]) -> tuple[ScheduleConfig, ...]:
    for key in ("overlap", "missed"):
        said = sorted({found for each in value if (found := getattr(each, key)) is not None})
        if len(said) > 1:
            raise ValueError(f"`{key}` is one for the whole pipeline, got {' and '.join(said)}\n  do: write it once")
    if missed_of(value) == "all" and overlap_of(value) == "skip":
        raise ValueError(
            "`missed: all` makes up for every missed run, and `overlap: skip` cancels all but one of them\n"
            "  do: write `overlap: queue` beside it, or `missed: latest`"
        )
    return value


Schedules = Annotated[tuple[ScheduleConfig, ...], BeforeValidator(_listed), AfterValidator(_agreed)]

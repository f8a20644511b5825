"""The section `partitions`: a pipeline that is cut by time or by a list, and run for one part at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data_contracts.yaml_lines import nearest
from pipelines.scheduling.timezones import known_timezone, zone
from tasks.errors import ConfigError

By = Literal["day", "week", "month", "year"]

_FORMS: dict[By, tuple[str, str]] = {
    "day": (r"\d{4}-\d{2}-\d{2}", "2013-05-31"),
    "week": (r"\d{4}-W\d{2}", "2013-W22"),
    "month": (r"\d{4}-\d{2}", "2013-05"),
    "year": (r"\d{4}", "2013"),
}
# A value stands in paths, names of runs and of files.
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_VALUE = 100
# Of one range; at a minute for each, this is a week.
_MOST = 10_000
# What `date` can still add a year to.
_LAST_YEAR = 9998


class PartitionsConfig(BaseModel):
    """What `{partition}` in the config stands for.

    Attributes:
        by: One partition for each day, week (of ISO 8601, from Monday), month or year.
        first: Only with `by`: the first partition is the one that holds this day. `from` in the file.
        timezone: Only with `by`: where a day begins; it decides when a partition is complete.
        values: The partitions' names, in the order of their runs, where it is not time that cuts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    by: By | None = None
    first: date | None = Field(default=None, alias="from")
    timezone: str = "UTC"
    values: tuple[str, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_timezone(value)

    @field_validator("values", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        """Take whole numbers too: in YAML the name 2013 is one."""
        if not isinstance(value, list | tuple):
            return value
        return [str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in value]

    @field_validator("values")
    @classmethod
    def _fit_for_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not _VALUE.fullmatch(each):
                raise ValueError(f"expected letters, digits and `.`, `_` or `-`, got `{each}`")
            if len(each) > _LONGEST_VALUE:
                raise ValueError(f"expected at most {_LONGEST_VALUE} characters, got {len(each)} in `{each[:20]}...`")
        if twice := sorted({each for each in value if value.count(each) > 1}):
            raise ValueError(f"each partition may stand there once, got several of {', '.join(twice[:5])}")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> PartitionsConfig:
        if (self.by is None) == (not self.values):
            raise ValueError("expected either `by` or `values`\n  do: write {by: month, from: 2013-01-01}, for example")
        if (self.by is None) != (self.first is None):
            raise ValueError("`by` and `from` belong together\n  do: write {by: month, from: 2013-01-01}, for example")
        if self.first is not None and self.first.year > _LAST_YEAR:
            raise ValueError(f"`from` is a day of the year {_LAST_YEAR} at the latest, got {self.first}")
        return self

    @property
    def example(self) -> str:
        """The first partition, by which a config is checked that is not run."""
        return self.values[0] if self.by is None else self._name(self._first_day)

    def require(self, partition: str) -> None:
        """Check that there is such a partition.

        Raises:
            ConfigError: There is not; the message says what is expected.
        """
        if self.by is None:
            if partition not in self.values:
                close = nearest(partition, self.values)
                hint = f"did you mean `{close}`?" if close else f"known: {', '.join(self.values[:5])}"
                raise ConfigError(f"partition `{partition}`: it is none of partitions.values; {hint}")
            return
        if self._day(partition) < self._first_day:
            raise ConfigError(
                f"partition `{partition}`: expected {self.example}, the first, or a later one\n"
                "  do: name a later one, or change partitions.from"
            )

    def between(self, first: str | None, last: str | None) -> list[str]:
        """Return the partitions from one to another, both included, in their order.

        Args:
            first: By default the first of all.
            last: By default the last of `values`; time has no last.

        Raises:
            ConfigError: One of them is no partition, or they stand in the wrong order, or there are far too many.
        """
        first = first or self.example
        last = last or (self.values[-1] if self.by is None else first)
        for each in (first, last):
            self.require(each)
        found = list(islice(self._span(first, last), _MOST + 1))
        if not found:
            raise ConfigError(f"from {first} to {last} there is no partition\n  do: name the earlier one first")
        if len(found) > _MOST:
            raise ConfigError(
                f"from {first} to {last} there are more than {_MOST:,} partitions\n"
                "  do: begin later, end earlier, or cut into larger ones with partitions.by"
            )
        return found

    def last_complete(self, moment: datetime) -> str | None:
        """Return the last partition that had ended at a moment, or None where that is before the first.

        Args:
            moment: With its zone.

        Raises:
            ConfigError: It is not time that cuts.
        """
        today = self._today(moment)
        start = self._start(today) - timedelta(days=1)
        return self._name(start) if start >= self._first_day else None

    def is_complete(self, partition: str, moment: datetime) -> bool:
        """Say whether nothing can come any more: the partition had ended at a moment. Values always are complete."""
        return self.by is None or self._next(self._day(partition)) <= self._today(moment)

    @property
    def _first_day(self) -> date:
        assert self.first is not None
        return self._start(self.first)

    def _today(self, moment: datetime) -> date:
        if self.by is None:
            raise ConfigError(
                "partitions.values: a point in time does not tell which of them is meant\n"
                "  do: name the partition, with --partition or as the run's parameter"
            )
        return moment.astimezone(zone(self.timezone)).date()

    def _span(self, first: str, last: str) -> Iterator[str]:
        if self.by is None:
            yield from self.values[self.values.index(first) : self.values.index(last) + 1]
            return
        day, end = self._day(first), self._day(last)
        while day <= end:
            yield self._name(day)
            day = self._next(day)

    def _start(self, day: date) -> date:
        if self.by == "week":
            return day - timedelta(days=day.weekday())
        if self.by == "day":
            return day
        return day.replace(day=1) if self.by == "month" else day.replace(month=1, day=1)

    def _next(self, start: date) -> date:
        if self.by in {"day", "week"}:
            return start + timedelta(days=1 if self.by == "day" else 7)
        # 32 days on is the next month, 366 the next year, whichever it is.
        return self._start(start + timedelta(days=32 if self.by == "month" else 366))

    def _name(self, day: date) -> str:
        if self.by == "week":
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        return day.isoformat()[: {"day": 10, "month": 7, "year": 4}[self.by or "day"]]

    def _day(self, partition: str) -> date:
        assert self.by is not None
        form, example = _FORMS[self.by]
        wrong = ConfigError(f"partition `{partition}`: expected a {self.by} such as {example}")
        if not re.fullmatch(form, partition, re.ASCII) or int(partition[:4]) > _LAST_YEAR:
            raise wrong
        try:
            if self.by == "week":
                return date.fromisocalendar(int(partition[:4]), int(partition[6:]), 1)
            return date.fromisoformat((partition + "-01-01")[:10])
        except ValueError as error:
            raise wrong from error


def require_timed(schedule: Sequence[object], partitions: PartitionsConfig | None) -> None:
    """Check that a pipeline with a schedule is cut by time, if at all.

    Raises:
        ConfigError: It is cut by a list, of which no scheduled time means one.
    """
    if schedule and partitions is not None and partitions.by is None:
        raise ConfigError(
            "schedule: a scheduled run takes the last partition that is over, and `partitions.values` are no times\n"
            "  do: leave the schedule out and use `headrace backfill`, or cut with `partitions.by`"
        )

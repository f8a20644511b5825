"""A deployment as it is to stand at the Prefect server, before anybody asks the server."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.schedules import SCHEDULE_TYPES, CronSchedule, IntervalSchedule, RRuleSchedule

from pipelines import environment
from pipelines.scheduling.config import Overlap, ScheduleConfig
from pipelines.scheduling.timezones import zone
from tasks.errors import ConfigError

POOL = "headrace"
# In a slug: the config itself says so. A schedule that is paused without it was paused by a person.
_PAUSED = "-paused"
# A run whose machine dies before it begins gives its place back after as long; one that works renews it.
_PLACE_HELD_SECONDS = 300
_COLLISION: dict[Overlap, ConcurrencyLimitStrategy] = {
    "skip": ConcurrencyLimitStrategy.CANCEL_NEW,
    "queue": ConcurrencyLimitStrategy.ENQUEUE,
}


@dataclass(frozen=True)
class Target:
    """Where deployments are to run.

    Attributes:
        pool: The work pool, of type `process`; made where there is none of that name.
        folder: The jobs' working directory, absolute, on the machine of their worker.
        python: The Python that runs them there.
    """

    pool: str = POOL
    folder: Path = field(default_factory=Path.cwd)
    python: str = sys.executable

    def path_of(self, path: Path) -> Path:
        """Return what the jobs call a file: below their folder it stands where it does below the current one.

        Args:
            path: The file, on this machine.

        Raises:
            ConfigError: It is not below the current folder, and theirs is another.
        """
        here, file = Path.cwd(), path.absolute()
        if self.folder == here:
            return file
        if not self.folder.is_absolute():
            raise ConfigError(
                f"--work-dir: expected the absolute path of a folder on the workers' machines, got {self.folder}\n"
                f"  do: give it in full, such as /srv/{here.name}"
            )
        if not file.is_relative_to(here):
            raise ConfigError(
                f"--work-dir: {path} is not below {here}, so it cannot be told where it is below {self.folder}\n"
                "  do: run this command in the folder that stands on the workers' machines as --work-dir"
            )
        return self.folder / file.relative_to(here)


@dataclass(frozen=True)
class Planned:
    """One deployment.

    Attributes:
        flow: The flow that it runs.
        entrypoint: The flow's module path, such as `pipelines.flow.data_to_deployment`.
        name: Of the deployment, after the flow's.
        description: Markdown for the UI.
        tags: Its runs have them too.
        parameters: Its runs' parameters, where nobody changes them.
        schedules: When it runs by itself.
        overlap: What becomes of a run that is due while one is at work.
        version: A digest of what it does.
    """

    flow: Flow[..., Any]
    entrypoint: str
    name: str
    description: str
    tags: tuple[str, ...]
    parameters: dict[str, Any]
    schedules: tuple[ScheduleConfig, ...]
    overlap: Overlap
    version: str

    @property
    def concurrency(self) -> ConcurrencyOptions:
        """What the server does with a second run."""
        return ConcurrencyOptions(collision_strategy=_COLLISION[self.overlap], grace_period_seconds=_PLACE_HELD_SECONDS)


def job_variables(target: Target) -> dict[str, Any]:
    """Return how a job is started: by the target's Python, in its folder, with Headrace's settings."""
    return {
        "command": shlex.join([target.python, "-m", "prefect.engine"]),
        "working_dir": str(target.folder),
        "env": environment.of_jobs(target.folder),
    }


def prefect_schedule(config: ScheduleConfig) -> SCHEDULE_TYPES:
    """Return a schedule as Prefect has it."""
    if config.cron is not None:
        return CronSchedule(cron=config.cron, timezone=config.timezone)
    if config.rrule is not None:
        return RRuleSchedule(rrule=config.rrule, timezone=config.timezone)
    anchor = datetime.combine(datetime(2020, 1, 1, tzinfo=UTC), time(), zone(config.timezone))
    return IntervalSchedule(interval=config.every, anchor_date=anchor, timezone=config.timezone)


def schedules_at_server(
    schedules: Sequence[ScheduleConfig], paused_by_people: Sequence[SCHEDULE_TYPES] = ()
) -> list[DeploymentScheduleCreate]:
    """Return schedules as the server takes them.

    Args:
        schedules: Those of the config.
        paused_by_people: Those that somebody paused in the UI; they stay so.
    """
    return [
        DeploymentScheduleCreate(
            schedule=(schedule := prefect_schedule(each)),
            active=not each.paused and schedule not in paused_by_people,
            slug=f"schedule-{number}{_PAUSED if each.paused else ''}",
        )
        for number, each in enumerate(schedules, start=1)
    ]


def paused_by_a_person(slug: str | None, *, active: bool) -> bool:
    """Say whether a schedule at the server is paused, and not by the config."""
    return not active and not (slug or "").endswith(_PAUSED)

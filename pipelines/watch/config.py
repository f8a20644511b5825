"""The section `watch` of a pipeline's config."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipelines.scheduling.config import Schedules
from pipelines.watch.durations import SAID, read_duration
from tasks.errors import ConfigError


def _duration(text: str) -> str:
    if read_duration(text) is None:
        raise ValueError(f"expected {SAID}, got {text!r}")
    return text


def _some_time(text: str) -> str:
    if not read_duration(text):
        raise ValueError(f"expected {SAID}, and more than none, got {text!r}")
    return text


class WatchConfig(BaseModel):
    """How served traffic is watched, and what follows from drift.

    Attributes:
        schedule: When to look, one time-table or several; without one the watch is started by hand.
        samples: The folder that the endpoint samples into; a relative path is relative to the config's folder.
        since: How far back each check looks, at most. It should be as long as what repeats in the data.
        labels: A file with what turned out to be true, CSV or Parquet, relative to the config's folder; it need not be
            there yet.
        alarm_rate: The chance that a check alarms where nothing has drifted is at most this.
        retrain: Whether drift starts a run of the pipeline.
        cooldown: No second run is started for drift within this time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule: Schedules = ()
    samples: str = Field(min_length=1)
    since: Annotated[str, AfterValidator(_some_time)] = "7d"
    labels: str | None = Field(default=None, min_length=1)
    alarm_rate: float = Field(default=0.0005, gt=0, lt=0.5)
    retrain: bool = True
    cooldown: Annotated[str, AfterValidator(_duration)] = "24h"

    @property
    def window(self) -> timedelta:
        """How far back a check looks."""
        return _time(self.since)

    @property
    def pause(self) -> timedelta:
        """How long no second run is started."""
        return _time(self.cooldown)

    def beside(self, folder: Path) -> WatchConfig:
        """Return the config with its paths taken from a folder, where they are relative."""
        labels = None if self.labels is None else str(folder / self.labels)
        return self.model_copy(update={"samples": str(folder / self.samples), "labels": labels})


def _time(text: str) -> timedelta:
    found = read_duration(text)
    assert found is not None
    return found


def watch_beside(config: WatchConfig | None, folder: Path) -> WatchConfig | None:
    """Return `watch` with its paths taken from a folder, if there is such a section."""
    return None if config is None else config.beside(folder)


def require_tables(config: WatchConfig | None) -> None:
    """Refuse to watch a model of images.

    Raises:
        ConfigError: There is a section `watch`.
    """
    if config is not None:
        raise ConfigError(
            "watch: a model of images cannot be watched: the endpoint's samples hold no images, and its bundle says "
            "nothing of what its training data looked like\n  do: leave the section out"
        )

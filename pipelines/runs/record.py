"""One run as its folder tells it; a run that ended early has left less, and one that was killed only its config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.runs.folders import RunName
from pipelines.runs.outcome import OUTCOME, UNFINISHED
from tasks.errors import IntegrityError
from tasks.metrics.table import METRIC

CONFIG, SUMMARY, REFERENCES, REPORT, PAGE = (
    "config.json",
    "summary.json",
    "references.json",
    "report.json",
    "report.html",
)

_ROW = ["pipeline", "run", "when", "partition", "verdict", "model", "version", "metric", "value", "seconds", "folder"]


@dataclass(frozen=True)
class RunRecord:
    """A run; its documents are read when asked for, each once.

    Raises:
        IntegrityError: A document is torn or altered; from whatever reads it.
    """

    name: RunName
    folder: Path

    @classmethod
    def of(cls, home: Path, name: RunName) -> RunRecord:
        """Return the record of a home's run."""
        return cls(name, name.folder(home))

    @cached_property
    def outcome(self) -> Mapping[str, Any]:
        """How it ended; empty where its process did not live to say."""
        return _read(self.folder / OUTCOME)

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """What came of it; empty where it did not come to a verdict."""
        return _read(self.folder / SUMMARY)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The resolved config."""
        return _read(self.folder / CONFIG)

    @cached_property
    def told(self) -> Mapping[str, Any]:
        """What its report tells (`tasks.report.inputs.ReportInputs`), without the points of its plots."""
        return _read(self.folder / REPORT)

    @cached_property
    def references(self) -> Mapping[str, Any]:
        """References to what it made."""
        return _read(self.folder / REFERENCES)

    @property
    def when(self) -> datetime:
        """When it was to start."""
        return datetime.strptime(self.name.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    @property
    def verdict(self) -> str:
        """One of the verdicts of `pipelines.runs.outcome`."""
        return str(self.outcome.get("verdict") or self.summary.get("status") or UNFINISHED)

    @property
    def partition(self) -> str | None:
        """The part of the data that it ran on."""
        found = self.outcome.get("partition", self.summary.get("partition"))
        return None if found is None else str(found)

    @property
    def headline(self) -> tuple[str, float] | None:
        """The metric that is spoken of first, on the test split."""
        metrics: Mapping[str, float] = self.summary.get("metrics", {})
        name = self.summary.get("headline") or next((name for name in METRIC if name in metrics), None)
        return None if name is None else (name, metrics[name])

    @property
    def row(self) -> dict[str, Any]:
        """Return what a list tells of it, as JSON has it."""
        metric = self.headline
        return self.place | {
            "partition": self.partition,
            "verdict": self.verdict,
            "model": self.summary.get("model"),
            "version": self.summary.get("version"),
            "metric": None if metric is None else metric[0],
            "value": None if metric is None else metric[1],
            "seconds": self.outcome.get("seconds"),
        }

    @property
    def place(self) -> dict[str, Any]:
        """Return as much of its row as can be said without reading anything; None for the rest."""
        named = {"pipeline": self.name.pipeline, "run": self.name.id, "when": self.when.isoformat()}
        return dict.fromkeys(_ROW) | named | {"folder": str(self.folder)}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        found = json.loads(content)
    except ValueError as error:
        raise IntegrityError(f"{path}: no JSON document: {error}\n  do: remove the run's folder") from error
    if not isinstance(found, dict):
        raise IntegrityError(f"{path}: expected a JSON object, got {type(found).__name__}")
    return found

"""What a bundle's statistics of the training data tell: the target's name, and a typical value of each column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, field_validator

from serving.bundle.manifest import BundleManifest, InputSpec
from serving.page.reading import read_document

REFERENCE = "reference.json"
_MEDIAN = 0.5
# A text that fewer records hold may say something of one of them.
_COMMON = 20
_DIGITS = 4


class _Column(BaseModel):
    probabilities: tuple[float, ...] = ()
    quantiles: tuple[float, ...] = ()
    values: Mapping[str, int] = {}


class _Reference(BaseModel):
    columns: Mapping[str, _Column]
    target: Mapping[str, _Column] = {}

    @field_validator("target", mode="before")
    @classmethod
    def _by_name(cls, target: Any) -> Any:
        """The one target of a model of images holds its name, and does not stand under it."""
        named = isinstance(target, dict) and isinstance(target.get("name"), str)
        return {target["name"]: target} if named else target


class Statistics(NamedTuple):
    """What the statistics tell.

    Attributes:
        typical: By input the median of numbers and dates and the most frequent of other values, as a record would hold
            them; columns that the contract classifies have none.
        targets: The names of what is predicted.
    """

    typical: Mapping[str, Any]
    targets: tuple[str, ...]


def read_statistics(folder: Path, manifest: BundleManifest) -> Statistics:
    """Return what a bundle's statistics tell; nothing where it has none. Blocks.

    Args:
        folder: The bundle's folder.
        manifest: Its manifest.
    """
    found = read_document(folder, REFERENCE, _Reference) if REFERENCE in manifest.files else None
    if found is None:
        return Statistics({}, ())
    columns = found.columns
    told = {
        spec.name: _typical(spec, columns[spec.name])
        for spec in manifest.inputs
        if spec.name in columns and not spec.masked
    }
    typical = {name: value for name, value in told.items() if value is not None}
    return Statistics(typical, tuple(found.target))


def _typical(spec: InputSpec, column: _Column) -> Any:
    if spec.logical_type in {"string", "boolean"}:
        most, count = max(column.values.items(), key=lambda one: one[1], default=("", 0))
        if count < _COMMON:
            return None
        return most if spec.logical_type == "string" else most.lower() == "true"
    median = dict(zip(column.probabilities, column.quantiles, strict=False)).get(_MEDIAN, math.nan)
    write = _WAYS.get(spec.logical_type)
    # A median of dates may be beyond those of the calendar where a few rows hold anything.
    with suppress(OverflowError):
        return None if write is None or not math.isfinite(median) else write(median)
    return None


def _moment(microseconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


_WAYS: Mapping[str, Callable[[float], Any]] = {
    "integer": round,
    "number": lambda median: float(f"{median:.{_DIGITS}g}"),
    "date": lambda median: _moment(median).date().isoformat(),
    "timestamp": lambda median: _moment(median).isoformat(timespec="minutes").replace("+00:00", "Z"),
}

"""The last minute of every model version, from counts that only grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from serving.watch.histogram import SECONDS, quantile

_SECONDS_KEPT = 60
VersionKey = tuple[str, str]


class Totals(NamedTuple):
    """What a version has done since its worker started.

    Attributes:
        latencies: Answers by latency, in the buckets of `SECONDS`.
        errors: Requests that were refused or failed.
        runs: Of the model.
        rows: Of these runs.
    """

    latencies: list[int]
    errors: int
    runs: int
    rows: float


class Recent:
    """Keeps the totals of the last minute, one set for each second."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, Mapping[VersionKey, Totals]]] = deque(maxlen=_SECONDS_KEPT + 1)

    def tick(self, now: float, totals: Mapping[VersionKey, Totals]) -> None:
        """Take in the totals of now, in seconds of any clock; call it once a second."""
        self._kept.append((now, totals))

    def last_minute(self) -> dict[str, Any]:
        """Return what came in the last minute, as a JSON value that `stats` reads: seconds, and counts by version."""
        if len(self._kept) < 2:
            return {"seconds": 0.0, "versions": []}
        (began, before), (ended, after) = self._kept[0], self._kept[-1]
        grown = [[*key, *_grown(before.get(key), totals)] for key, totals in after.items()]
        return {"seconds": ended - began, "versions": grown}


def stats(minutes: Iterable[Mapping[str, Any]], visible: frozenset[str] | None) -> dict[str, Any]:
    """Return rates and latencies by model, of all workers together.

    Args:
        minutes: `Recent.last_minute` of each worker.
        visible: The models that may be named; None for all.

    Returns:
        By model `requests_per_second`, `errors_per_second`, `rows_per_second`, `rows_per_run`, `latency_ms` with `p50`,
        `p95` and `p99` (null without a request), and `versions` with the `requests_per_second` of each.
    """
    models: dict[str, _Model] = {}
    for minute in minutes:
        for model, version, latencies, errors, runs, rows in minute["versions"]:
            if model and (visible is None or model in visible):
                grown = Totals(latencies, errors, runs, rows)
                models.setdefault(model, _Model()).add(version, grown, minute["seconds"])
    return {name: model.described() for name, model in sorted(models.items())}


class _Model:
    """Sums over a model's versions and the workers."""

    def __init__(self) -> None:
        self._latencies = [0] * (len(SECONDS) + 1)
        self._requests = self._errors = self._rows_per_second = 0.0
        self._runs = self._rows = 0.0
        self._versions: dict[str, float] = {}

    def add(self, version: str, grown: Totals, seconds: float) -> None:
        """Take in what one worker counted of one version in so many seconds."""
        rate = sum(grown.latencies) / seconds
        self._requests += rate
        self._errors += grown.errors / seconds
        self._rows_per_second += grown.rows / seconds
        self._runs += grown.runs
        self._rows += grown.rows
        if version:
            # What named no version that answered was refused; how fast that went is nobody's latency.
            self._latencies = [a + b for a, b in zip(self._latencies, grown.latencies, strict=True)]
            self._versions[version] = self._versions.get(version, 0.0) + rate

    def described(self) -> dict[str, Any]:
        """Return the sums as a JSON value."""
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        found = {name: quantile(SECONDS, self._latencies, share) for name, share in shares.items()}
        return {
            "requests_per_second": round(self._requests, 3),
            "errors_per_second": round(self._errors, 3),
            "rows_per_second": round(self._rows_per_second, 3),
            "rows_per_run": round(self._rows / self._runs, 3) if self._runs else None,
            "latency_ms": {name: None if value is None else round(1000 * value, 3) for name, value in found.items()},
            "versions": {version: round(rate, 3) for version, rate in sorted(self._versions.items())},
        }


def _grown(before: Totals | None, after: Totals) -> tuple[list[int], int, int, float]:
    if before is None:
        return after
    latencies = [new - old for new, old in zip(after.latencies, before.latencies, strict=True)]
    return latencies, after.errors - before.errors, after.runs - before.runs, after.rows - before.rows

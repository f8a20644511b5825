"""Everything that is counted in this process, and what the whole endpoint answers about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from serving.models.loaded import LoadedModel
from serving.watch.counters import Counters
from serving.watch.expected import read_expected
from serving.watch.exposition import exposition
from serving.watch.families import Labels, Numbers, Value, summed
from serving.watch.features import FeatureCounts
from serving.watch.process import process_numbers
from serving.watch.recent import Recent, Totals, VersionKey, stats
from serving.watch.runs import RunWatch
from serving.watch.settings import MetricsConfig
from serving.watch.shared import SharedFolder, Snapshot

if TYPE_CHECKING:
    from serving.models.lineup import Lineup
    from serving.watch.samples import VersionSampler

_REMEMBERED_SECONDS = 600.0
_BAD_REQUEST = 400


class Metrics:
    """Counts what this process does, and adds what the other workers have counted.

    Args:
        config: What is counted.
        lineups: Gives the served models by name; another thread may change what it gives.
        shared: Where workers see each other's numbers.
        worker: This worker's index.
        extra: Gives numbers that others count.
    """

    def __init__(
        self,
        config: MetricsConfig,
        lineups: Callable[[], dict[str, Lineup]],
        shared: SharedFolder,
        worker: int,
        extra: Callable[[], Numbers],
    ) -> None:
        self.counters = Counters(lambda name: name in lineups())
        self._config = config
        self._lineups = lineups
        self._shared = shared
        self._worker = str(worker)
        self._extra = extra
        self._recent = Recent()
        self._recent.tick(monotonic(), {})
        self._runs: dict[VersionKey, RunWatch] = {}
        self._gone: dict[VersionKey, float] = {}
        self._started = time()

    def watch(self, folder: Path, model: LoadedModel, sampler: VersionSampler | None) -> None:
        """Watch a version's runs from now on; one that is loaded again goes on with its counts. Blocks for a moment.

        Args:
            folder: Of its bundle.
            model: The loaded version.
            sampler: Takes samples of it.

        Raises:
            BundleError: The bundle's statistics are not what the training side writes.
        """
        key = model.name, model.version
        known = self._runs.get(key)
        if known is None:
            features = None
            if self._config.feature_share:
                expected = read_expected(folder, model.manifest)
                features = FeatureCounts(model.manifest, expected, self._config.feature_share)
            known = self._runs[key] = RunWatch(features, sampler)
        model.watch = known

    def tick(self) -> Snapshot:
        """Take in that a second is over; return what the other workers should see."""
        now = monotonic()
        self._recent.tick(now, self._totals())
        self._forget_gone(now)
        return self._snapshot()

    def share(self, snapshot: Snapshot) -> None:
        """Let the other workers see these numbers. Blocks for a moment.

        Raises:
            OSError: They cannot be written.
        """
        self._shared.write(snapshot)

    def page(self) -> bytes:
        """Return the whole endpoint's metrics in Prometheus' format, the other workers' as of a second ago. Blocks."""
        return exposition(summed([self._snapshot().numbers, *(other.numbers for other in self._shared.others())]))

    def stats(self, visible: frozenset[str] | None) -> dict[str, Any]:
        """Return the whole endpoint's last minute as a JSON value. Blocks for a moment.

        Args:
            visible: The models that may be named; None for all.
        """
        minutes = [self._recent.last_minute(), *(other.minute for other in self._shared.others())]
        return {
            "uptime_seconds": round(time() - self._started, 3),
            "workers": len(minutes),
            "models": stats(minutes, visible),
        }

    def _snapshot(self) -> Snapshot:
        every = (
            self._shared.before,
            self.counters.numbers(),
            self._of_versions(),
            lineup_numbers(self._lineups().copy()),
            process_numbers(self._worker),
            self._extra(),
        )
        return Snapshot(summed(every), self._recent.last_minute())

    def _of_versions(self) -> Numbers:
        numbers: Numbers = {}

        def put(name: str, labels: Labels, value: Value) -> None:
            numbers.setdefault(name, {})[labels] = value

        for key, runs in list(self._runs.items()):
            put("headrace_run_seconds", key, (list(runs.seconds.counts), runs.seconds.total))
            put("headrace_run_requests", key, (list(runs.requests.counts), runs.requests.total))
            put("headrace_run_rows", key, (list(runs.rows.counts), runs.rows.total))
            features = runs.features
            if features is None:
                continue
            put("headrace_feature_rows", key, features.rows)
            for what in ("nulls", "unseen", "out_of_range"):
                for feature, count in features.found(what).items():
                    put(f"headrace_feature_{what}", (*key, feature), count)
        return numbers

    def _totals(self) -> dict[VersionKey, Totals]:
        found: dict[VersionKey, Totals] = {}
        for (model, version, status, _), series in self.counters.answers():
            refused = sum(series.counts) if status >= _BAD_REQUEST else 0
            if not version and not refused:
                # A description or a health check, which is no prediction.
                continue
            known = found.get((model, version))
            runs = self._runs.get((model, version))
            before = known.latencies if known is not None else [0] * len(series.counts)
            found[model, version] = Totals(
                [a + b for a, b in zip(before, series.counts, strict=True)],
                (known.errors if known is not None else 0) + refused,
                sum(runs.rows.counts) if runs is not None else 0,
                runs.rows.total if runs is not None else 0.0,
            )
        return found

    def _forget_gone(self, now: float) -> None:
        """Drop the numbers of versions that left the endpoint minutes ago, so that they do not gather over years."""
        loaded = {(name, version) for name, lineup in self._lineups().copy().items() for version in lineup.versions}
        counted = {key[:2] for key, _ in self.counters.answers() if key[1]}
        for model, version in {*self._runs, *counted} - loaded:
            since = self._gone.setdefault((model, version), now)
            if now - since > _REMEMBERED_SECONDS:
                self._runs.pop((model, version), None)
                self.counters.forget(model, version)
        self._gone = {key: since for key, since in self._gone.items() if key not in loaded and key in self._known()}

    def _known(self) -> set[VersionKey]:
        return {*self._runs, *(key[:2] for key, _ in self.counters.answers())}


def lineup_numbers(lineups: dict[str, Lineup]) -> Numbers:
    """Return which versions are served in which role, what waits for them, and what became of the shadows' copies."""
    numbers: Numbers = {"headrace_model_info": {}, "headrace_waiting_rows": {}, "headrace_shadow_requests": {}}
    numbers |= {"headrace_shadow_labels": {}, "headrace_shadow_largest_difference": {}}
    for name, lineup in lineups.items():
        for version, batcher in lineup.versions.items():
            info = name, version, lineup.roles[version], batcher.model.manifest.digest
            numbers["headrace_model_info"][info] = 1
            numbers["headrace_waiting_rows"][name, version] = batcher.waiting_rows
        shadow = lineup.shadow
        if shadow is None:
            continue
        key, counts = (name, shadow.model.version), shadow.counts
        outcomes = {"answered": counts.requests, "dropped": counts.dropped, "failed": counts.failed}
        labels = {"agreed": counts.agreed, "differed": counts.labels - counts.agreed}
        for outcome, count in outcomes.items():
            numbers["headrace_shadow_requests"][*key, outcome] = count
        for outcome, count in labels.items():
            numbers["headrace_shadow_labels"][*key, outcome] = count
        numbers["headrace_shadow_largest_difference"][key] = counts.largest_difference
    return numbers

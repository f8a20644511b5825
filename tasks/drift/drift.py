"""The drift watch: the samples of one model version against its bundle's reference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from serving.bundle.manifest import BundleManifest
from serving.bundle.read import open_bundle
from tasks.drift.counting import SeriesCounts, count_series
from tasks.drift.expected import Reference, Series, read_reference
from tasks.drift.judge import compare_all, describe_series, judge, rows_needed
from tasks.drift.labels import read_labels
from tasks.drift.performance import Labelled
from tasks.drift.report import DriftReport, SeriesReport, TestResult
from tasks.drift.samples import Slices, find_samples, instant
from tasks.errors import TooFewRowsError
from tasks.preprocessing.targets import Target

# Fine enough to say since when, coarse enough for a slice to hold rows.
_SLICES = 24

_Counts = dict[tuple[str, str], SeriesCounts]


class DriftConfig(BaseModel):
    """What is checked.

    Attributes:
        samples: The folder of the endpoint's samples.
        since: Rows before it do not count; all do by default.
        labels: Parquet or CSV, see `tasks.drift.labels.read_labels`.
        alarm_rate: The chance that a check alarms where nothing has drifted is at most this. A check is all tests of
            all features and predictions together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: Path
    since: datetime | None = None
    labels: Path | None = None
    alarm_rate: float = Field(default=0.0005, gt=0, lt=0.5)


def run_drift(bundle: Path, version: str, config: DriftConfig) -> DriftReport:
    """Check a model version for drift. The samples are read once, in bounded memory.

    Rows are taken as drawn independently. The endpoint samples single rows of requests, so this holds where few of a
    request's rows are; a note says where it does not.

    Args:
        bundle: The version's folder.
        version: Its name in the model store, as the endpoint knows it.
        config: What is checked.

    Raises:
        BundleError: The bundle is broken.
        IntegrityError: It holds no reference.
        NoSamplesError: There are no samples of this version.
        TooFewRowsError: There are too few.
        DataError: Files are not what they should be.
    """
    manifest, reference = open_bundle(bundle), read_reference(bundle)
    labelled = _labelled(reference, config)
    samples = find_samples(config.samples, manifest.model, version, config.since)
    if samples is None:
        raise _too_few(0, manifest, version, len(reference.series), config, reference.rows)
    slices = Slices.over(samples.begin, samples.end, _SLICES)
    traffic = _Traffic(reference.series, slices)
    for batch in samples.batches():
        traffic.add(batch)
        if labelled is not None:
            labelled.add(batch)
    comparisons = compare_all(reference.series, traffic.counts)
    needed = rows_needed(max(1, len(comparisons)), config.alarm_rate, reference.rows)
    if traffic.rows < needed:
        raise _too_few(traffic.rows, manifest, version, len(comparisons), config, reference.rows)
    performance, judged = labelled.finish(reference.evaluation) if labelled is not None else (None, [])
    tests = judge([*comparisons, *judged], config.alarm_rate, slices)
    alarms = tuple(sorted((each for each in tests if each.alarm), key=lambda each: each.p_value))
    return DriftReport(
        model=manifest.model,
        version=version,
        digest=manifest.digest,
        rows=traffic.rows,
        begin=instant(samples.begin),
        end=instant(samples.end),
        alarm_rate=config.alarm_rate,
        drift=bool(alarms),
        alarms=alarms,
        tests=tuple(tests),
        series=tuple(_series(reference.series, traffic.counts, tests)),
        performance=performance,
        notes=tuple(_notes(reference, manifest, traffic)),
    )


class _Traffic:
    """Counts of every series that the samples hold."""

    def __init__(self, series: tuple[Series, ...], slices: Slices) -> None:
        self._series, self._slices = series, slices
        self.counts: _Counts = {}
        self.rows = 0
        self.later = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch of samples."""
        self.rows += len(batch)
        self.later += int((batch.column("row").to_numpy() > 0).sum())
        places = self._slices.places(batch.column("time").to_numpy())
        for series in self._series:
            if series.of not in batch.schema.names:
                continue
            struct = batch.column(series.of)
            if struct.type.get_field_index(series.column) < 0:
                continue
            found = count_series(series, struct.field(series.column), places, self._slices.count)
            key = (series.of, series.name)
            self.counts[key] = self.counts[key].merge(found) if key in self.counts else found


def _labelled(reference: Reference, config: DriftConfig) -> Labelled | None:
    if config.labels is None:
        return None
    target: Target = TypeAdapter(Target).validate_python(reference.preprocessing["target"])
    return Labelled(read_labels(config.labels, target), target)


def _series(series: tuple[Series, ...], counts: _Counts, tests: list[TestResult]) -> Iterator[SeriesReport]:
    for each in series:
        if (each.of, each.name) in counts:
            yield describe_series(each, counts[each.of, each.name], tests)


def _notes(reference: Reference, manifest: BundleManifest, traffic: _Traffic) -> Iterator[str]:
    yield from reference.lacks
    absent = [each.name for each in reference.series if (each.of, each.name) not in traffic.counts]
    masked = {spec.name for spec in manifest.inputs if spec.masked}
    for why, names in (
        ("masked, so the samples do not hold them", [name for name in absent if name in masked]),
        ("not in the samples", [name for name in absent if name not in masked]),
    ):
        if names:
            yield f"{', '.join(f'`{name}`' for name in names)}: {why}"
    if traffic.later > traffic.rows / 2:
        yield (
            "most rows come from requests of many rows; rows of one request may be alike, and tests take each as drawn "
            "by itself: sample a smaller share"
        )


def _too_few(
    rows: int, manifest: BundleManifest, version: str, tests: int, config: DriftConfig, reference_rows: int
) -> TooFewRowsError:
    needed = rows_needed(max(1, tests), config.alarm_rate, reference_rows)
    since = "" if config.since is None else f" since {config.since.isoformat()}"
    return TooFewRowsError(
        f"{config.samples}: {manifest.model!r} version {version!r} has {rows} sampled rows{since}; {needed} are needed "
        "to see a shift of half a standard deviation\n"
        "  do: wait for more traffic, sample a larger share (`samples.share`), or look further back (--since)"
    )

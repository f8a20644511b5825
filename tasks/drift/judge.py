"""From counts to verdicts: every series compared, all tests corrected together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from tasks.drift.comparisons import Comparison, changed_at, compare_series, holm
from tasks.drift.counting import SeriesCounts
from tasks.drift.expected import Series
from tasks.drift.noise import ks_threshold
from tasks.drift.report import SeriesReport, TestResult
from tasks.drift.samples import Slices
from tasks.drift.shares import shares_of

# The largest distance between the cumulative distributions of a normal variable and of one half a standard deviation
# away.
_HALF_DEVIATION = 0.1974
# A distance is seen in 19 samples of 20 once it exceeds its threshold by so many standard errors of a share.
_SURELY = 1.645


def compare_all(series: Iterable[Series], counts: Mapping[tuple[str, str], SeriesCounts]) -> list[Comparison]:
    """Compare every series that was counted; counts are by the series' field and name."""
    both = ((each, counts.get((each.of, each.name))) for each in series)
    return [found for each, counted in both if counted is not None for found in compare_series(each, counted)]


def judge(comparisons: Sequence[Comparison], alarm_rate: float, slices: Slices) -> list[TestResult]:
    """Say which comparisons alarm, so that a check of no drift does with a chance of at most `alarm_rate`."""
    corrected = holm([each.p_value for each in comparisons])
    level = alarm_rate / max(1, len(comparisons))
    return [
        TestResult(
            series=each.series,
            of=each.of,
            test=each.test,
            statistic=each.statistic,
            threshold=each.threshold(level),
            p_value=p_value,
            alarm=p_value <= alarm_rate,
            since=slices.start(changed_at(each)) if p_value <= alarm_rate else None,
            said=each.said,
        )
        for each, p_value in zip(comparisons, corrected, strict=True)
    ]


def rows_needed(tests: int, alarm_rate: float, reference_rows: int) -> int:
    """Return how many rows show a shift of half a standard deviation in one normal feature, 19 times of 20.

    Args:
        tests: Of the check.
        alarm_rate: Its chance of a false alarm.
        reference_rows: Where the reference has too few itself, as many rows as an endless one would need are returned.
    """
    room = ks_threshold(alarm_rate / tests, 1.0) + 0.5 * _SURELY
    worth = (room / _HALF_DEVIATION) ** 2
    return math.ceil(worth * reference_rows / (reference_rows - worth) if reference_rows > 2 * worth else worth)


def describe_series(series: Series, counts: SeriesCounts, tests: Iterable[TestResult]) -> SeriesReport:
    """Return the figures of one series that was served in at least one row."""
    nulls = int(counts.nulls.sum())
    known = counts.rows and series.of == "record" and (series.closed or series.span is not None)
    psi = [each.statistic for each in tests if (each.series, each.of, each.test) == (series.name, series.of, "psi")]
    return SeriesReport(
        name=series.name,
        of=series.of,
        rows=counts.rows,
        null_rate=nulls / max(1, nulls + counts.rows),
        beyond_rate=int(counts.strange.sum()) / counts.rows if known else None,
        psi=psi[0] if psi else None,
        shares=shares_of(series, counts),
    )

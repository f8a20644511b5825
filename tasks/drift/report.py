"""What a drift check finds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tasks.drift.comparisons import TestName


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TestResult(_Frozen):
    """One test.

    Attributes:
        of: What was tested: the records, the predictions, or the performance against labels.
        statistic: PSI, the distance of Kolmogorov and Smirnov, chi-squared, a rate, or how many standard errors a
            metric is worse.
        threshold: What the statistic must exceed to alarm were this test the strongest; chance alone stays below it in
            this check as in all but `alarm_rate` of its like.
        p_value: Corrected for the number of tests (Holm); at most `alarm_rate` where the test alarms.
        since: When the change most likely began; None without an alarm.
        said: What changed and by how much.
    """

    series: str
    of: Literal["record", "prediction", "labels"]
    test: TestName
    statistic: float
    threshold: float
    p_value: float
    alarm: bool
    since: datetime | None
    said: str


class Share(_Frozen):
    """Values of a series that are counted together, as shares of all that are not null.

    Attributes:
        values: Which they are: a category, or numbers up to a bound.
    """

    values: str
    reference: float
    served: float


class SeriesReport(_Frozen):
    """One raw column or part of the predictions.

    Attributes:
        rows: Served rows with a value.
        null_rate: Of the served rows.
        beyond_rate: Of the rows with a value, those unseen in training or out of its range; None where that is not
            known.
        psi: Population stability index; None where the distribution was not compared.
        shares: About ten of them, in the order of numbers or the commonest category first; none where the distribution
            was not compared.
    """

    name: str
    of: Literal["record", "prediction"]
    rows: int
    null_rate: float
    beyond_rate: float | None
    psi: float | None
    shares: tuple[Share, ...] = ()


class Metric(_Frozen):
    """One metric on the labelled rows beside the evaluation's; an interval is None where it cannot be told."""

    served: float
    interval: tuple[float, float] | None
    evaluated: float | None
    evaluated_interval: tuple[float, float] | None


class Performance(_Frozen):
    """How good the predictions were that labels came for.

    Attributes:
        rows: Sampled rows with a label.
        unmatched: Labels of no sampled row.
        ambiguous: Labels whose request and row were sampled more than once; they do not count.
        unlabelled: Labels that are null; they do not count either.
    """

    rows: int
    unmatched: int
    ambiguous: int
    unlabelled: int
    metrics: Mapping[str, Metric]


class DriftReport(_Frozen):
    """A check of one model version.

    Attributes:
        digest: Of the bundle.
        rows: Sampled rows.
        begin: Time of the first of them.
        end: Of the last.
        alarm_rate: The chance that a check alarms where nothing has drifted is at most this.
        drift: Whether any test alarms.
        alarms: Tests that do, the surest first.
        tests: All, in the order of the reference.
        notes: What was not compared, and why.
    """

    model: str
    version: str
    digest: str
    rows: int
    begin: datetime
    end: datetime
    alarm_rate: float
    drift: bool
    alarms: tuple[TestResult, ...]
    tests: tuple[TestResult, ...]
    series: tuple[SeriesReport, ...]
    performance: Performance | None
    notes: tuple[str, ...]

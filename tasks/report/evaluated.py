"""What a report says of a model's quality, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from tasks.report.plots import Line


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Curves(_Frozen):
    """The points of the curves of the test split: for each class or label its xs and ys."""

    roc: Mapping[str, Line] = {}
    precision_recall: Mapping[str, Line] = {}
    calibration: Mapping[str, Line] = {}
    uncalibrated: Mapping[str, Line] = {}
    gains: Mapping[str, Line] = {}
    lift: Mapping[str, Line] = {}

    @classmethod
    def of_classes(cls, classes: Sequence[Mapping[str, Any]], uncalibrated: Sequence[Mapping[str, Any]] = ()) -> Curves:
        """Take what `tasks.evaluation.findings` returns, one record for each class or label."""
        return cls(
            roc=_lines(classes, "roc", "false_positive_rate", "true_positive_rate"),
            precision_recall=_lines(classes, "pr", "recall", "precision"),
            calibration=_lines(classes, "calibration", "predicted", "observed"),
            uncalibrated=_lines(uncalibrated, "calibration", "predicted", "observed"),
            gains=_lines(classes, "gains", "share", "found"),
            lift=_lines(classes, "gains", "share", "lift"),
        )


def _lines(classes: Sequence[Mapping[str, Any]], curve: str, across: str, up: str) -> dict[str, Line]:
    return {str(one["class"]): (one[curve][across], one[curve][up]) for one in classes}


class Compared(_Frozen):
    """One metric of champion and candidate; `gain` and its interval are positive where the candidate is better."""

    name: str
    champion: float
    candidate: float
    gain: float
    interval: tuple[float, float] | None = None


class Challenge(_Frozen):
    """The candidate against the champion.

    Attributes:
        champion: The champion's version.
        said: On which rows, and how the intervals were made.
    """

    champion: str
    said: str
    compared: tuple[Compared, ...]


class Evaluated(_Frozen):
    """How good a model is on rows that it has not seen.

    Attributes:
        headline: The metric named first, such as `roc_auc`.
        metrics: For `test` and each baseline: metric and value.
        intervals: Low and high of the model's own metrics.
        drawn: How the intervals were made, in a sentence.
        classes: Names, in the order of `confusion`.
        confusion: Rows of the test split, by actual class (outer) and predicted class (inner).
        details: A record for each class, label or quantile; all have the same keys, the first its name.
        curves: Of classes and labels.
        figures: Of numbers: what `tasks.evaluation.number_curves` returns.
        uncalibrated: The model's metrics before it was calibrated; empty where nothing was.
        calibration: What calibration fitted, as nested plain values.
        challenge: None where there was no other champion.
        notes: What else is good to know, a sentence each.
    """

    headline: str
    metrics: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, tuple[float, float]] = {}
    drawn: str = ""
    classes: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    details: tuple[Mapping[str, Any], ...] = ()
    curves: Curves = Curves()
    figures: Mapping[str, Any] = {}
    uncalibrated: Mapping[str, float] = {}
    calibration: Mapping[str, Any] = {}
    challenge: Challenge | None = None
    notes: tuple[str, ...] = ()

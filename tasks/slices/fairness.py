"""Fairness: whether a model answers the groups of a protected column alike, by fairlearn's measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.metrics.numbers import pinball
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Problem, Target
from tasks.slices.groups import Groups

_CHOICES: tuple[Problem, ...] = ("binary", "multiclass", "multilabel")


@dataclass(frozen=True)
class FairnessMeasure:
    """One number for the groups of a column.

    Attributes:
        label: Its name for people.
        problems: Where it is measured.
        ratio: Whether it is a ratio, of which 1 is fair, and not a difference, of which 0 is.
    """

    name: str
    label: str
    problems: tuple[Problem, ...]
    ratio: bool = False

    def worse(self, one: float, other: float) -> bool:
        """Tell whether one value is less fair than another."""
        return one < other if self.ratio else one > other


FAIRNESS = {
    measure.name: measure
    for measure in (
        FairnessMeasure("demographic_parity_difference", "demographic parity, difference", _CHOICES),
        FairnessMeasure("demographic_parity_ratio", "demographic parity, ratio", _CHOICES, ratio=True),
        FairnessMeasure("equalized_odds_difference", "equalized odds, difference", _CHOICES),
        FairnessMeasure("equalized_odds_ratio", "equalized odds, ratio", _CHOICES, ratio=True),
        FairnessMeasure("mean_prediction_difference", "mean prediction, difference", ("regression",)),
        FairnessMeasure("mean_error_difference", "mean error, difference", ("regression",)),
        FairnessMeasure("mae_difference", "mean absolute error, difference", ("regression",)),
        FairnessMeasure("pinball_difference", "pinball loss, difference", ("quantile",)),
    )
}


def fairness_names(problem: Problem) -> tuple[str, ...]:
    """Return the measures of a problem."""
    return tuple(name for name, measure in FAIRNESS.items() if problem in measure.problems)


def fairness_of(
    target: Target, truth: NDArray[Any], predicted: Predictions, groups: Groups, min_rows: int
) -> dict[str, Any]:
    """Measure a model between the groups of a column.

    Of two classes the second is the one that is selected; of more, and of labels, each is measured by itself, and the
    worst counts. Equalized odds leave out a group in which no row, or every row, truly belongs to the class.

    Args:
        target: What is predicted.
        truth: As for `tasks.metrics.measures.measures_of`.
        predicted: For the same rows.
        groups: The column's.
        min_rows: Smaller groups are left out.

    Returns:
        `groups`: a record for each group that is large enough (and, of several classes, for each of these):
        `group`, `class`, `rows` and its own metrics; `measures`: by name `value` and, of several classes, `class`, for
        those that two groups or more allow; `left_out`: names and rows of the groups that are too small.
    """
    rows = groups.rows
    small = np.flatnonzero((rows > 0) & (rows < min_rows)).tolist()
    kept = np.flatnonzero(rows[groups.place] >= min_rows)
    names = np.array(groups.names, dtype=object)[groups.place[kept]]
    found: dict[str, Any] = {"groups": [], "measures": {}}
    if len(kept):
        lines = _of_numbers if isinstance(target, NumberTarget) else _of_classes
        found = lines(target, truth, predicted, kept, names)
    return found | {"left_out": [{"group": groups.names[at], "rows": int(rows[at])} for at in small]}


def _of_classes(
    target: Target, truth: NDArray[Any], predicted: Predictions, kept: NDArray[np.int64], names: NDArray[Any]
) -> dict[str, Any]:
    lines: list[dict[str, Any]] = []
    measures: dict[str, dict[str, Any]] = {}
    for name, holds, said in _chosen(target, truth[kept], predicted, kept):
        about = {} if name is None else {"class": name}
        of_groups, of_all = _of_one_class(holds, said, names)
        lines += [{"group": group, **about, **line} for group, line in of_groups.items()]
        for measure, value in of_all.items():
            if measure not in measures or FAIRNESS[measure].worse(value, measures[measure]["value"]):
                measures[measure] = {"value": value, **about}
    return {"groups": lines, "measures": measures}


def _chosen(
    target: Target, truth: NDArray[Any], predicted: Predictions, kept: NDArray[np.int64]
) -> list[tuple[str | None, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return for each class or label its name, where it holds, and where the model said so."""
    assert predicted.labels is not None
    said = predicted.labels[kept]
    if isinstance(target, LabelsTarget):
        return [(name, truth[:, at], said[:, at]) for at, name in enumerate(target.labels)]
    assert isinstance(target, ClassTarget)
    if target.problem == "binary":
        return [(None, truth == 1, said == 1)]
    return [(str(name), truth == at, said == at) for at, name in enumerate(target.classes)]


def _of_one_class(
    holds: NDArray[np.bool_], said: NDArray[np.bool_], names: NDArray[Any]
) -> tuple[dict[str, dict[str, float | None]], dict[str, float]]:
    from fairlearn import metrics as fair  # noqa: PLC0415 - a contract without protected columns needs none of it

    rates = {
        "rows": fair.count,
        "selection_rate": fair.selection_rate,
        "true_positive_rate": fair.true_positive_rate,
        "false_positive_rate": fair.false_positive_rate,
    }
    truth, answer = holds.astype(np.int64), said.astype(np.int64)
    frame = fair.MetricFrame(metrics=rates, y_true=truth, y_pred=answer, sensitive_features=names).by_group
    lines: dict[str, dict[str, float | None]] = {}
    for group in frame.index:
        positives = int(truth[names == group].sum())
        rows = int(frame.loc[group, "rows"])
        line = {name: float(frame.loc[group, name]) for name in rates if name != "rows"}
        # fairlearn calls the rate of no rows 0, which would be a gap where there is nothing to compare.
        undefined = {"true_positive_rate": not positives, "false_positive_rate": positives == rows}
        lines[group] = {"rows": rows, **{name: None if undefined.get(name) else line[name] for name in line}}
    measures = {}
    if len(lines) > 1:
        measures["demographic_parity_difference"] = fair.demographic_parity_difference(
            truth, answer, sensitive_features=names
        )
        measures["demographic_parity_ratio"] = fair.demographic_parity_ratio(truth, answer, sensitive_features=names)
    both = [group for group, line in lines.items() if None not in line.values()]
    if len(both) > 1:
        compared = np.isin(names, both)
        odds = {"y_true": truth[compared], "y_pred": answer[compared], "sensitive_features": names[compared]}
        measures["equalized_odds_difference"] = fair.equalized_odds_difference(**odds)
        measures["equalized_odds_ratio"] = fair.equalized_odds_ratio(**odds)
    return lines, {name: float(value) for name, value in measures.items() if np.isfinite(value)}


def _of_numbers(
    target: Target, truth: NDArray[Any], predicted: Predictions, kept: NDArray[np.int64], names: NDArray[Any]
) -> dict[str, Any]:
    from fairlearn import metrics as fair  # noqa: PLC0415 - as above

    assert isinstance(target, NumberTarget)
    assert predicted.numbers is not None
    said, was = predicted.numbers[kept], truth[kept]
    if target.quantiles:
        values = {"pinball": pinball(was, said, target.quantiles).mean(axis=1)}
    else:
        values = {"mean_prediction": said, "mean_error": said - was, "mae": np.abs(said - was)}
    frames = {
        name: fair.MetricFrame(metrics=_mean, y_true=was, y_pred=each, sensitive_features=names)
        for name, each in values.items()
    }
    groups = next(iter(frames.values())).by_group.index
    lines = [
        {
            "group": group,
            "rows": int((names == group).sum()),
            **{name: float(frame.by_group[group]) for name, frame in frames.items()},
        }
        for group in groups
    ]
    measures = {}
    if len(lines) > 1:
        measures = {f"{name}_difference": {"value": float(frame.difference())} for name, frame in frames.items()}
    return {"groups": lines, "measures": measures}


def _mean(_: NDArray[Any], values: NDArray[Any]) -> float:
    return float(np.mean(values))

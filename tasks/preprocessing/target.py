"""The target as fitted on the training split: its classes, its labels, or the mean and deviation of its number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from data_contracts.contract import Column
from tasks.errors import TrainingError
from tasks.preprocessing.problem import TargetConfig, TargetKind
from tasks.preprocessing.statistics import MAX_CATEGORIES, CategorySummary, NumericSummary, Summaries
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target

MAX_CLASSES = 1_000
# Within these the squares that deviations and metrics are made of neither overflow nor vanish.
_LEAST_SPREAD, _GREATEST = 1e-100, 1e100
# float64 must hold numbers this much finer than they deviate, or it is rounding that would be learned.
_FINEST = 1e-3


def fit_target(columns: Sequence[Column], summaries: Summaries, config: TargetConfig, kind: TargetKind) -> Target:
    """Return what is predicted, as the training split has it.

    Args:
        columns: The target's, as `tasks.preprocessing.problem.require_target` let them pass.
        summaries: Of the training split, by column.
        config: The problem and its quantiles.
        kind: What `require_target` said.

    Raises:
        TrainingError: There is nothing to tell apart (one class, a label that never changes, one number), the classes
            are too many or not those of the problem, or a number is not finite.
    """
    if kind == "labels":
        return _fit_labels(columns, summaries)
    summary = summaries[columns[0].name]
    if isinstance(summary, NumericSummary):
        return _fit_number(columns[0], summary, config)
    target = _fit_classes(columns[0], summary)
    if config.problem not in {"auto", target.problem}:
        raise TrainingError(
            f"target {target.column}: `problem: {config.problem}`, but the training split has "
            f"{len(target.classes)} classes, {_few(target.classes)}\n"
            f"  do: write `problem: {target.problem}`, or mend the target's values"
        )
    return target


def _fit_classes(column: Column, summary: CategorySummary) -> ClassTarget:
    found = summary.values.to_pylist()
    if len(found) > MAX_CLASSES or summary.missed:
        many = f"more than {MAX_CATEGORIES}" if summary.missed else len(found)
        number = ", or write `problem: regression` if it is an amount" if column.logical_type == "integer" else ""
        raise TrainingError(
            f"target {column.name}: {many} classes in the training split, at most {MAX_CLASSES} make sense\n"
            f"  do: name another target, or group its values{number}"
        )
    if len(found) < 2:
        only = {"0": "false", "1": "true"} if column.logical_type == "boolean" else {}
        one = f"one class, `{only.get(found[0], found[0])}`" if found else "no class"
        raise TrainingError(
            f"target {column.name}: the training split has {one} "
            f"in {summary.rows} rows; there is nothing to tell apart\n"
            "  do: give data with at least two classes, or another split"
        )
    if column.logical_type == "string":
        return ClassTarget(column=column.name, source="string", classes=tuple(found))
    numbers = sorted(int(value) for value in found)
    if column.logical_type == "boolean":
        return ClassTarget(column=column.name, source="boolean", classes=tuple(bool(number) for number in numbers))
    return ClassTarget(column=column.name, source="integer", classes=tuple(numbers))


def _fit_labels(columns: Sequence[Column], summaries: Summaries) -> LabelsTarget:
    for column in columns:
        summary = summaries[column.name]
        assert isinstance(summary, CategorySummary), column.name
        if len(summary.values) < 2:
            only = {"0": "false", "1": "true"}.get("".join(summary.values.to_pylist()), "null")
            raise TrainingError(
                f"target {column.name}: the label is {only} in all {summary.rows} training rows; there is nothing to "
                "tell apart\n  do: take it out of `target`, or give data in which it is true and false"
            )
    return LabelsTarget(labels=tuple(column.name for column in columns))


def _fit_number(column: Column, summary: NumericSummary, config: TargetConfig) -> NumberTarget:
    moments = summary.moments
    infinite = moments.rows - moments.nulls - moments.count
    farthest = max(abs(moments.minimum), abs(moments.maximum)) if moments.count else 0.0
    if infinite or farthest > _GREATEST:
        what = f"{infinite} infinite values" if infinite else f"values to {moments.maximum:g} from {moments.minimum:g}"
        raise TrainingError(
            f"target {column.name}: {what} in {moments.rows} training rows; expected numbers of at most {_GREATEST:g}\n"
            "  do: set a minimum and a maximum for the column in the contract, or scale its values"
        )
    if not moments.count or moments.minimum == moments.maximum:
        only = f"is {moments.minimum:g} in all" if moments.count else "has no value in"
        raise TrainingError(
            f"target {column.name}: the number {only} {moments.rows} training rows; there is nothing to learn\n"
            "  do: name another target, or give data in which it changes"
        )
    apart = math.ulp(farthest)
    if moments.std < _LEAST_SPREAD or apart > _FINEST * moments.std:
        raise TrainingError(
            f"target {column.name}: values to {moments.maximum:g} from {moments.minimum:g} deviate by "
            f"{moments.std:.3g} from their mean, and float64 holds numbers of that size to {apart:.3g}; expected a "
            f"deviation of at least {max(_LEAST_SPREAD, apart / _FINEST):.3g}\n"
            "  do: take away what all values share (an offset, an epoch), or scale them up, where the data is made"
        )
    return NumberTarget(
        column=column.name,
        source="integer" if column.logical_type == "integer" else "number",
        center=moments.mean,
        spread=moments.std,
        quantiles=config.quantiles or (),
    )


def _few(classes: Sequence[object]) -> str:
    return f"{list(classes[:5])}"[:-1] + (", ...]" if len(classes) > 5 else "]")

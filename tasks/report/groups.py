"""What a report says of parts of the test split and of what a model looks at, as plain values; and their drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from tasks.report.svg import BLUE, INK, drawing, printable

_MOST_BARS = 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Group(_Frozen):
    """Rows that have something in common.

    Attributes:
        loss: Their mean loss.
        rest: The mean loss of all other rows; None where the group was not looked for but asked for.
        interval: Of the difference of the two.
        metrics: None where one is undefined.
    """

    name: str
    rows: int
    loss: float
    rest: float | None = None
    interval: tuple[float, float] | None = None
    metrics: Mapping[str, float | None]


class FairnessTable(_Frozen):
    """A protected column.

    Attributes:
        measures: Name and value of the whole column.
        names: What is said of each group.
        groups: A group's name, and the values in the order of `names`.
        left_out: Groups that are too small, with their rows.
    """

    column: str
    measures: tuple[tuple[str, float], ...]
    names: tuple[str, ...]
    groups: tuple[tuple[str, tuple[float | int | None, ...]], ...]
    left_out: str = ""


class Sliced(_Frozen):
    """How good a model is on parts of the test split.

    Attributes:
        loss: What a row's loss is.
        metrics: The metrics that are told of every group.
        searched: How the worst slices were looked for, in a sentence.
        tried: How many were looked at.
        worst: What was found, the worst first.
        columns: The groups of each column that was asked for.
        left_out: Of such a column, what is said of groups that are too small.
        fairness: One for each protected column.
    """

    loss: str
    metrics: tuple[str, ...]
    searched: str
    tried: int
    worst: tuple[Group, ...] = ()
    columns: Mapping[str, tuple[Group, ...]] = {}
    left_out: Mapping[str, str] = {}
    fairness: tuple[FairnessTable, ...] = ()


class Important(_Frozen):
    """How important a column is: mean and deviation over the repeats."""

    column: str
    mean: float
    deviation: float


class RowExplained(_Frozen):
    """One row of the test split.

    Attributes:
        of: Which score is explained.
        base: The score of what is usual.
        columns: What the columns that matter most add to it.
        others: What all others add together.
    """

    row: int
    chosen: str
    loss: float
    of: str
    score: float
    base: float
    columns: tuple[tuple[str, float], ...]
    others: float


class Explained(_Frozen):
    """What a model looks at.

    Attributes:
        said: What the importance is, in a sentence.
        importance: The greatest first.
        method: How single rows were explained.
        rows: Single rows.
    """

    said: str
    importance: tuple[Important, ...] = ()
    method: str = ""
    rows: tuple[RowExplained, ...] = ()


def importance_bars(columns: Sequence[Important]) -> str:
    """Draw the importance of the columns, at most the first twenty, with their deviations."""
    shown = columns[:_MOST_BARS]
    description = f"The most important of {len(columns)} columns is {shown[0].column}, with {shown[0].mean:.4g}."
    with drawing("importance", "Importance of columns", description, (7.2, 0.9 + 0.28 * len(shown))) as sheet:
        axes, places = sheet.axes, range(len(shown))
        axes.barh(
            places,
            [each.mean for each in shown],
            xerr=[each.deviation for each in shown],
            color=BLUE,
            ecolor=INK,
            height=0.62,
        )
        axes.set_yticks(places, [printable(each.column, longest=40) for each in shown])
        axes.set(xlabel="worse by")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
    return sheet.svg

"""Targets: what is predicted, and what kind of problem that makes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

Problem = Literal["binary", "multiclass", "multilabel", "regression", "quantile"]
# How a config names what is predicted: a column, or the boolean columns of a multilabel problem.
TargetNames = str | tuple[str, ...]

# The target's column in a features dataset; of several labels the first is `target_0`.
TARGET = "target"


def raw_columns(target: TargetNames) -> tuple[str, ...]:
    """Return the raw columns of a target."""
    return (target,) if isinstance(target, str) else target


def stored_columns(target: TargetNames) -> tuple[str, ...]:
    """Return the names of a target's columns in a features dataset, which no feature may have."""
    return (TARGET,) if isinstance(target, str) else tuple(f"{TARGET}_{place}" for place in range(len(target)))


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassTarget(_Frozen):
    """The column to predict and its classes, in the order of the model's scores.

    Classes are sorted: `false, true` for a boolean, ascending for integers, by code point for strings.
    """

    kind: Literal["classes"] = "classes"
    column: str
    source: Literal["string", "integer", "boolean"]
    classes: tuple[str, ...] | tuple[int, ...] | tuple[bool, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns of the target."""
        return (self.column,)

    @property
    def stored(self) -> tuple[str, ...]:
        """Its columns in a features dataset: one of int64, each row's place in `classes`."""
        return stored_columns(self.column)

    @property
    def problem(self) -> Problem:
        """What kind of problem it makes."""
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def outputs(self) -> int:
        """Scores of a record: one for each class, also where there are two."""
        return len(self.classes)


class LabelsTarget(_Frozen):
    """Boolean columns to predict, each of which may hold or not whatever the others do; one score for each."""

    kind: Literal["labels"] = "labels"
    labels: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns of the target."""
        return self.labels

    @property
    def stored(self) -> tuple[str, ...]:
        """Its columns in a features dataset: one of float32 for each label, 0 or 1."""
        return stored_columns(self.labels)

    @property
    def problem(self) -> Problem:
        """What kind of problem it makes."""
        return "multilabel"

    @property
    def outputs(self) -> int:
        """Scores of a record."""
        return len(self.labels)


class NumberTarget(_Frozen):
    """A number to predict, or quantiles of it.

    Models learn and score `(value - center) / spread`.

    Attributes:
        column: The raw column.
        source: Its type.
        center: Mean over the training split.
        spread: Standard deviation over the training split.
        quantiles: Ascending, each between 0 and 1; none where the mean is predicted.
    """

    kind: Literal["number"] = "number"
    column: str
    source: Literal["number", "integer"]
    center: float
    spread: PositiveFloat
    quantiles: tuple[float, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns of the target."""
        return (self.column,)

    @property
    def stored(self) -> tuple[str, ...]:
        """Its columns in a features dataset: one of float64, standardized."""
        return stored_columns(self.column)

    @property
    def problem(self) -> Problem:
        """What kind of problem it makes."""
        return "quantile" if self.quantiles else "regression"

    @property
    def outputs(self) -> int:
        """Scores of a record: the mean, or one for each quantile."""
        return len(self.quantiles) or 1


Target = Annotated[ClassTarget | LabelsTarget | NumberTarget, Field(discriminator="kind")]

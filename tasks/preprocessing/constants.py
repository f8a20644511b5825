"""Preprocessing: the fitted constants, and nothing else. The transform and the ONNX graph are both made from them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

PADDING, NULL, UNSEEN = 0, 1, 2
FIRST_CODE = 3

Source = Literal["number", "integer", "boolean", "string", "timestamp"]
CalendarPart = Literal["month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute_of_day"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NumericFeature(_Frozen):
    """One float32 column of the features.

    With `x` the raw value as float64 (a boolean is 0 or 1, a timestamp gives its calendar `part`; dates are
    timestamps at midnight; all in UTC): null and NaN become `fill`, then `x` is clipped to `lower` and `upper`, and
    the feature is `(x - mean) / std` computed in float64 and rounded once to float32.
    With `indicator` the feature is 1.0 where the raw value is null or NaN, else 0.0, and no constant applies.

    Attributes:
        edges: Ascending bin edges of the finished feature (its training quantiles) for piecewise-linear embeddings.
    """

    name: str
    column: str
    source: Source
    part: CalendarPart | None = None
    indicator: bool = False
    fill: float = 0.0
    lower: float = 0.0
    upper: float = 0.0
    mean: float = 0.0
    std: float = 1.0
    edges: tuple[float, ...] = ()


class CategoricalFeature(_Frozen):
    """One integer column of the features: the code of a category.

    Null and the empty string have code `NULL`, a value outside the vocabulary `UNSEEN`, and the i-th value of the
    vocabulary `FIRST_CODE + i`; `PADDING` is never produced. Values of integers, booleans (`0`, `1`) and calendar
    parts stand in the vocabulary as decimal text. The vocabulary is sorted by code point.
    """

    name: str
    column: str
    source: Source
    part: CalendarPart | None = None
    vocabulary: tuple[str, ...]

    @property
    def cardinality(self) -> int:
        """Number of codes, reserved ones included."""
        return FIRST_CODE + len(self.vocabulary)


class Target(_Frozen):
    """The column to predict and its classes, in the order of the network's outputs.

    Classes are sorted: `false, true` for a boolean, ascending for integers, by code point for strings.
    """

    column: str
    source: Literal["string", "integer", "boolean"]
    classes: tuple[str, ...] | tuple[int, ...] | tuple[bool, ...]


class Preprocessing(_Frozen):
    """Everything fitted on the training split. Raw column order follows the contract.

    Attributes:
        numeric: Features in the order of the float32 matrix's columns.
        categorical: Features in the order of the int64 matrix's columns.
    """

    numeric: tuple[NumericFeature, ...]
    categorical: tuple[CategoricalFeature, ...]
    target: Target

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that the features need, each once, in order of first use."""
        features: tuple[NumericFeature | CategoricalFeature, ...] = (*self.numeric, *self.categorical)
        return tuple(dict.fromkeys(feature.column for feature in features))

"""Preprocessing as ONNX operators: the same constants, in the same arithmetic, as `tasks.preprocessing.transform`.

The finished features are the transform's very bits, but for the sign of a zero where a clip's bound is zero and the
mean too: there numpy's own answer depends on the length of the array.

Columns of one kind are joined and treated by one operator with a vector of constants, so the number of nodes hardly
grows with the number of columns: at a batch of one a node costs more than its arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import spox.opset.ai.onnx.ml.v3 as ml
import spox.opset.ai.onnx.v18 as op
from spox import Tensor, Var, argument

from serving.bundle.manifest import NULL_TIMESTAMP, InputSpec
from tasks.errors import ConfigError
from tasks.export.calendar_graph import calendar_parts
from tasks.preprocessing.constants import (
    FIRST_CODE,
    NULL,
    UNSEEN,
    CalendarPart,
    CategoricalFeature,
    NumericFeature,
    Preprocessing,
)

BATCH = "batch"
_DTYPES: dict[str, Any] = {
    "string": np.str_,
    "float64": np.float64,
    "float32": np.float32,
    "int64": np.int64,
    "bool": np.bool_,
}
_NO_PART = -1  # no calendar part is negative, so a null timestamp's part can travel as this integer
_EXACT_INTEGERS = 2**53  # float64 holds every integer below this


@dataclass(frozen=True)
class PreprocessingGraph:
    """The graph from raw columns to the network's inputs.

    Attributes:
        inputs: The raw columns, each [batch], by name.
        numeric: float32 [batch, numeric features].
        categorical: int64 [batch, categorical features].
    """

    inputs: Mapping[str, Var]
    numeric: Var
    categorical: Var


def build_preprocessing(preprocessing: Preprocessing, inputs: Sequence[InputSpec]) -> PreprocessingGraph:
    """Emit the graph of fitted constants.

    Args:
        preprocessing: The constants.
        inputs: The raw columns, which hold every column of `preprocessing.columns`.

    Raises:
        ConfigError: A category cannot be told apart in the tensor type that its column travels in.
    """
    arguments = {spec.name: argument(Tensor(_DTYPES[spec.tensor], (BATCH,))) for spec in inputs}
    columns = {spec.name: _RawColumn(spec, arguments[spec.name]) for spec in inputs}
    codes = [_codes(columns[feature.column], feature) for feature in preprocessing.categorical]
    rows = op.shape(arguments[inputs[0].name])
    return PreprocessingGraph(
        inputs=arguments,
        numeric=_numeric(columns, preprocessing.numeric) if preprocessing.numeric else _no_columns(rows, np.float32),
        categorical=op.transpose(_stack(codes)) if codes else _no_columns(rows, np.int64),
    )


class _RawColumn:
    """One raw column; what several features derive from it is emitted once."""

    def __init__(self, spec: InputSpec, raw: Var) -> None:
        self.spec = spec
        self.raw = raw
        self._doubles: dict[CalendarPart | None, Var] = {}

    @cached_property
    def null(self) -> Var:
        """Null as bool [batch]; only for tensors that have a way to say it."""
        if self.spec.logical_type in {"date", "timestamp"}:
            return op.equal(self.raw, op.const(np.array(NULL_TIMESTAMP, np.int64)))
        assert self.spec.tensor == "float64"
        return op.isnan(self.raw)

    @cached_property
    def _parts(self) -> Mapping[CalendarPart, Var]:
        # The sentinel of null stands at the type's end, where the arithmetic would overflow.
        return calendar_parts(op.where(self.null, op.const(np.array(0, np.int64)), self.raw))

    def part(self, part: CalendarPart) -> Var:
        """A calendar part as int64 [batch], `_NO_PART` for null."""
        return op.where(self.null, op.const(np.array(_NO_PART, np.int64)), self._parts[part])

    def as_double(self, part: CalendarPart | None) -> Var:
        """The value as float64 [batch], NaN for null."""
        if part not in self._doubles:
            self._doubles[part] = self._to_double(part)
        return self._doubles[part]

    def _to_double(self, part: CalendarPart | None) -> Var:
        if self.spec.tensor == "float64":
            return self.raw
        assert self.spec.tensor != "string", self.spec.name
        value = op.cast(self.raw if part is None else self._parts[part], to=np.float64)
        if self.spec.logical_type in {"date", "timestamp"}:
            return op.where(self.null, op.const(np.array(np.nan)), value)
        return value


def _stack(columns: Sequence[Var]) -> Var:
    """Join columns [batch] to [columns, batch]: two nodes, where widening each column first would take one a column."""
    return op.reshape(op.concat(columns, axis=0), op.const(np.array([len(columns), -1], np.int64)))


def _no_columns(rows: Var, dtype: type[np.generic]) -> Var:
    shape = op.concat([rows, op.const(np.array([0], np.int64))], axis=0)
    return op.constant_of_shape(shape, value=np.zeros(1, dtype))


def _numeric(columns: Mapping[str, _RawColumn], features: Sequence[NumericFeature]) -> Var:
    def constants(name: str) -> Var:
        return op.const(np.array([[getattr(feature, name)] for feature in features], np.float64))

    raw = _stack([columns[feature.column].as_double(feature.part) for feature in features])
    missing = op.isnan(raw)
    filled = op.where(missing, constants("fill"), raw)
    clipped = op.min([op.max([filled, constants("lower")]), constants("upper")])
    scaled = op.cast(op.div(op.sub(clipped, constants("mean")), constants("std")), to=np.float32)
    if any(feature.indicator for feature in features):
        is_indicator = op.const(np.array([[feature.indicator] for feature in features]))
        scaled = op.where(is_indicator, op.cast(missing, to=np.float32), scaled)
    return op.transpose(scaled)


def _codes(column: _RawColumn, feature: CategoricalFeature) -> Var:
    """Return the category codes of one feature as int64 [batch]."""
    codes = [FIRST_CODE + index for index in range(len(feature.vocabulary))]
    if column.spec.tensor == "string":
        keys = ["", *feature.vocabulary]
        return ml.label_encoder(column.raw, keys_strings=keys, values_int64s=[NULL, *codes], default_int64=UNSEEN)
    values = [int(value) for value in feature.vocabulary]
    if feature.part is not None:
        keys_of_parts = [_NO_PART, *values]
        return ml.label_encoder(
            column.part(feature.part), keys_int64s=keys_of_parts, values_int64s=[NULL, *codes], default_int64=UNSEEN
        )
    integers = column.raw if column.spec.tensor == "int64" else op.cast(column.raw, to=np.int64)
    # The operator refuses an empty table, so an empty vocabulary is said by a key that is itself unseen.
    encoded = ml.label_encoder(
        integers, keys_int64s=values or [0], values_int64s=codes or [UNSEEN], default_int64=UNSEEN
    )
    if column.spec.tensor != "float64":
        return encoded
    _require_exact(feature, values)
    return op.where(column.null, op.const(np.array(NULL, np.int64)), encoded)


def _require_exact(feature: CategoricalFeature, values: Sequence[int]) -> None:
    inexact = [value for value in values if abs(value) >= _EXACT_INTEGERS]
    if inexact:
        raise ConfigError(
            f"feature {feature.name}: categories of a nullable integer column travel as float64, which cannot tell "
            f"neighbours beyond 2**53 apart; got {', '.join(map(str, inexact[:5]))}\n"
            f"  do: make {feature.column} a string in the contract, or required, or leave it out of the features"
        )

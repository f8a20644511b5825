"""Categories as ONNX operators: their codes, and the tables that encodings look them up in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import spox.opset.ai.onnx.ml.v3 as ml
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.errors import ConfigError
from tasks.export.raw_column_graph import RawColumn
from tasks.preprocessing.constants import FIRST_CODE, UNSEEN, CategoricalFeature, Encoding

_EXACT_INTEGERS = 2**53  # float64 holds every integer below this


def encoded_columns(column: RawColumn, encoding: Encoding) -> Var:
    """Return the outputs of an encoding as float32 [outputs, batch]."""
    if not encoding.positions:
        table = np.array(encoding.values, dtype=np.float64).astype(np.float32)
        return op.gather(op.const(table), category_codes(column, encoding.category), axis=1)
    count = len(encoding.outputs)
    # `OneHot` takes a place of -1 for the last one; of a place beyond the last it makes zeros.
    places = np.array([place if place >= 0 else count for place in encoding.positions], np.int64)
    found = _looked_up(column, encoding.category, places)
    return op.one_hot(found, op.const(np.array(count, np.int64)), op.const(np.array([0, 1], np.float32)), axis=0)


def category_codes(column: RawColumn, feature: CategoricalFeature) -> Var:
    """Return the category codes of one feature as int64 [batch]."""
    return _looked_up(column, feature, np.arange(feature.cardinality))


def _looked_up(column: RawColumn, feature: CategoricalFeature, by_code: np.ndarray) -> Var:
    """Return what stands for each value's code, int64 [batch], in an array of int64 [codes]."""
    null, unseen, *known = by_code[[feature.null_code, UNSEEN, *range(FIRST_CODE, feature.cardinality)]].tolist()
    if column.spec.tensor == "string":
        keys = ["", *feature.vocabulary]
        return ml.label_encoder(column.raw, keys_strings=keys, values_int64s=[null, *known], default_int64=unseen)
    values = [int(value) for value in feature.vocabulary]
    if feature.part is not None:
        of_value = dict(zip(values, known, strict=True))

        def table(parts: np.ndarray) -> np.ndarray:
            return np.array([of_value.get(part, unseen) for part in parts.tolist()])

        return column.calendar.look_up(feature.part, table, null)
    integers = column.raw if column.spec.tensor == "int64" else op.cast(column.raw, to=np.int64)
    # The operator refuses an empty table, so an empty vocabulary is said by a key that is itself unseen.
    encoded = ml.label_encoder(
        integers, keys_int64s=values or [0], values_int64s=known or [unseen], default_int64=unseen
    )
    if column.spec.tensor != "float64":
        return encoded
    _require_exact(feature, values)
    return op.where(column.null, op.const(np.array(null, np.int64)), encoded)


def _require_exact(feature: CategoricalFeature, values: Sequence[int]) -> None:
    inexact = [value for value in values if abs(value) >= _EXACT_INTEGERS]
    if inexact:
        raise ConfigError(
            f"feature {feature.name}: categories of a nullable integer column travel as float64, which cannot tell "
            f"neighbours beyond 2**53 apart; got {', '.join(map(str, inexact[:5]))}\n"
            f"  do: make {feature.column} a string in the contract, or required, or leave it out of the features"
        )

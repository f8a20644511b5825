"""Categories as ONNX operators: their codes, and the tables that encodings look them up in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import spox.opset.ai.onnx.ml.v3 as ml
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.errors import ConfigError
from tasks.export.raw_column_graph import NO_PART, RawColumn
from tasks.preprocessing.constants import FIRST_CODE, UNSEEN, CategoricalFeature, Encoding

_EXACT_INTEGERS = 2**53  # float64 holds every integer below this


def encoded_columns(column: RawColumn, encoding: Encoding) -> Var:
    """Return the outputs of an encoding as float32 [outputs, batch]."""
    codes = category_codes(column, encoding.category)
    if not encoding.positions:
        table = np.array(encoding.values, dtype=np.float64).astype(np.float32)
        return op.gather(op.const(table), codes, axis=1)
    positions = op.gather(op.const(np.array(encoding.positions, np.int64)), codes)
    outputs = op.const(np.arange(len(encoding.outputs), dtype=np.int64).reshape(-1, 1))
    hot = op.equal(op.reshape(positions, op.const(np.array([1, -1], np.int64))), outputs)
    return op.cast(hot, to=np.float32)


def category_codes(column: RawColumn, feature: CategoricalFeature) -> Var:
    """Return the category codes of one feature as int64 [batch]."""
    codes = [FIRST_CODE + index for index in range(len(feature.vocabulary))]
    if column.spec.tensor == "string":
        keys = ["", *feature.vocabulary]
        return ml.label_encoder(
            column.raw, keys_strings=keys, values_int64s=[feature.null_code, *codes], default_int64=UNSEEN
        )
    values = [int(value) for value in feature.vocabulary]
    if feature.part is not None:
        keys_of_parts = [NO_PART, *values]
        return ml.label_encoder(
            column.part(feature.part),
            keys_int64s=keys_of_parts,
            values_int64s=[feature.null_code, *codes],
            default_int64=UNSEEN,
        )
    integers = column.raw if column.spec.tensor == "int64" else op.cast(column.raw, to=np.int64)
    # The operator refuses an empty table, so an empty vocabulary is said by a key that is itself unseen.
    encoded = ml.label_encoder(
        integers, keys_int64s=values or [0], values_int64s=codes or [UNSEEN], default_int64=UNSEEN
    )
    if column.spec.tensor != "float64":
        return encoded
    _require_exact(feature, values)
    return op.where(column.null, op.const(np.array(feature.null_code, np.int64)), encoded)


def _require_exact(feature: CategoricalFeature, values: Sequence[int]) -> None:
    inexact = [value for value in values if abs(value) >= _EXACT_INTEGERS]
    if inexact:
        raise ConfigError(
            f"feature {feature.name}: categories of a nullable integer column travel as float64, which cannot tell "
            f"neighbours beyond 2**53 apart; got {', '.join(map(str, inexact[:5]))}\n"
            f"  do: make {feature.column} a string in the contract, or required, or leave it out of the features"
        )

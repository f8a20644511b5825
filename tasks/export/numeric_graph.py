"""Numeric features as ONNX operators: outliers, missing values, curves, scale, and what is derived beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.export.chain_graph import chained_rows
from tasks.export.curve_graph import bent_rows
from tasks.export.raw_column_graph import RawColumn, stack
from tasks.preprocessing.calendar import cycle
from tasks.preprocessing.constants import Chain, NumericFeature


def direct_columns(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature], chain: Chain | None) -> Var:
    """Return features of the kinds `number` and `is_null` as float32 [features, batch]."""
    raw = _raw(columns, features)
    missing = op.isnan(raw)
    if any(feature.outside == "null" for feature in features):
        removes = op.const(np.array([[feature.outside == "null"] for feature in features]))
        missing = op.or_(missing, op.and_(removes, _beyond(raw, features)))
    filled = op.where(missing, _constants(features, "fill"), raw)
    settled = op.min([op.max([filled, _constants(features, "lower")]), _constants(features, "upper")])
    if chain is not None:
        settled = chained_rows(chain, features, settled, missing)
    bent = bent_rows([feature.curve for feature in features], settled)
    centred = op.sub(bent, _constants(features, "center"))
    scaled = op.cast(op.div(centred, _constants(features, "spread")), to=np.float32)
    if any(feature.kind == "is_null" for feature in features):
        is_indicator = op.const(np.array([[feature.kind == "is_null"] for feature in features]))
        scaled = op.where(is_indicator, op.cast(missing, to=np.float32), scaled)
    return scaled


def outlier_flags(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature]) -> Var:
    """Return features of the kind `is_outlier` as float32 [features, batch]."""
    return op.cast(_beyond(_raw(columns, features), features), to=np.float32)


def cyclic_columns(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature]) -> Var:
    """Return features of the kinds `sine` and `cosine` as float32 [features, batch], looked up in tables."""
    found = []
    for feature in features:
        assert feature.part is not None, feature.name
        first, sines, cosines = cycle(feature.part)
        table = np.append(sines if feature.kind == "sine" else cosines, 0.0).astype(np.float32)
        column = columns[feature.column]
        shifted = op.sub(column.part(feature.part), op.const(np.array(first, np.int64)))
        place = op.where(column.null, op.const(np.array(len(sines), np.int64)), shifted)
        found.append(op.gather(op.const(table), place))
    return stack(found)


def _raw(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature]) -> Var:
    return stack([columns[feature.column].as_double(feature.part) for feature in features])


def _beyond(raw: Var, features: Sequence[NumericFeature]) -> Var:
    """Return where raw values lie outside the bounds, bool [features, batch]; false for NaN."""
    return op.or_(op.less(raw, _constants(features, "lower")), op.greater(raw, _constants(features, "upper")))


def _constants(features: Sequence[NumericFeature], name: str) -> Var:
    values: list[list[Any]] = [[getattr(feature, name)] for feature in features]
    return op.const(np.array(values, np.float64))

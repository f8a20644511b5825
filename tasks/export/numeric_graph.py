"""Numeric features as ONNX operators: outliers, missing values, curves, scale, and what is derived beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.export.chain_graph import chained_rows
from tasks.export.curve_graph import bent_rows
from tasks.export.feature_rows import FeatureRows
from tasks.export.raw_column_graph import RawColumn, dtype_of, stack, stack_doubles
from tasks.preprocessing.calendar import cycle
from tasks.preprocessing.constants import Chain, NumericFeature


def direct_rows(
    columns: Mapping[str, RawColumn], features: Sequence[NumericFeature], chain: Chain | None
) -> list[FeatureRows]:
    """Return features of the kinds `number` and `is_null`."""
    rows = _settled(columns, features)
    raw = _raw(columns, rows)
    missing = op.isnan(raw)
    if any(feature.outside == "null" for feature in rows):
        removes = op.const(np.array([[feature.outside == "null"] for feature in rows]))
        missing = op.or_(missing, op.and_(removes, _beyond(raw, rows)))
    filled = op.where(missing, _constants(rows, "fill"), raw)
    settled = op.min([op.max([filled, _constants(rows, "lower")]), _constants(rows, "upper")])
    if chain is not None:
        settled = chained_rows(chain, rows, settled, missing)
    bent = bent_rows([feature.curve for feature in rows], settled)
    centred = op.sub(bent, _constants(rows, "center"))
    scaled = op.cast(op.div(centred, _constants(rows, "spread")), to=np.float32)
    numbers = {feature.name: row for row, feature in enumerate(rows) if feature.kind == "number"}
    row_of = {_missing_rule(feature): row for row, feature in enumerate(rows)}
    flags = {feature.name: row_of[_missing_rule(feature)] for feature in features if feature.kind == "is_null"}
    found = [
        FeatureRows(numbers, len(rows), scaled),
        FeatureRows(flags, len(rows), op.cast(missing, to=np.float32)),
    ]
    return [group for group in found if group.places]


def _settled(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature]) -> list[NumericFeature]:
    """Return the features to compute: every number, and each indicator of what no number misses in the same sense."""
    numbers = [feature for feature in features if feature.kind == "number"]
    known = {_missing_rule(feature) for feature in numbers}
    alone = [feature for feature in features if feature.kind == "is_null" and _missing_rule(feature) not in known]
    return _by_type(columns, [*numbers, *alone])


def _missing_rule(feature: NumericFeature) -> tuple[object, ...]:
    """Return what two features have in common that are missing in the same rows."""
    bounds = (feature.lower, feature.upper) if feature.outside == "null" else ()
    return feature.column, feature.part, *bounds


def outlier_rows(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature]) -> FeatureRows:
    """Return features of the kind `is_outlier`."""
    rows = _by_type(columns, features)
    beyond = op.cast(_beyond(_raw(columns, rows), rows), to=np.float32)
    return FeatureRows.of([feature.name for feature in rows], beyond)


def cyclic_rows(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature]) -> FeatureRows:
    """Return features of the kinds `sine` and `cosine`, looked up in tables."""
    waves = [_wave(columns[feature.column], feature) for feature in features]
    return FeatureRows.of([feature.name for feature in features], stack(waves))


def _wave(column: RawColumn, feature: NumericFeature) -> Var:
    assert feature.part is not None, feature.name
    first, sines, cosines = cycle(feature.part)
    wave = (sines if feature.kind == "sine" else cosines).astype(np.float32)
    return column.calendar.look_up(feature.part, lambda parts: wave[parts - first], 0.0)


def _raw(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature]) -> Var:
    return stack_doubles([columns[feature.column].number(feature.part) for feature in features])


def _by_type(columns: Mapping[str, RawColumn], features: Sequence[NumericFeature]) -> list[NumericFeature]:
    """Put features of one raw type side by side, where they are converted together."""
    return sorted(features, key=lambda each: dtype_of(columns[each.column].number(each.part)).name)


def _beyond(raw: Var, features: Sequence[NumericFeature]) -> Var:
    """Return where raw values lie outside the bounds, bool [features, batch]; false for NaN."""
    return op.or_(op.less(raw, _constants(features, "lower")), op.greater(raw, _constants(features, "upper")))


def _constants(features: Sequence[NumericFeature], name: str) -> Var:
    values: list[list[Any]] = [[getattr(feature, name)] for feature in features]
    return op.const(np.array(values, np.float64))

"""Preprocessing as ONNX operators: the same constants, in the same arithmetic, as `tasks.preprocessing.finish`.

Without curves and chains the finished features are the transform's very bits, but for the sign of a zero where a clip's
bound is zero and the centre too: there numpy's own answer depends on the length of the array. Logarithms and sums of
products may differ in the last bit of float64.

Columns of one kind are joined and treated by one operator with a vector of constants, so the number of nodes hardly
grows with the number of columns: at a batch of one a node costs more than its arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Tensor, Var, argument

from serving.bundle.manifest import InputSpec
from tasks.export.category_graph import category_codes, encoded_columns
from tasks.export.feature_rows import FeatureRows, ordered_columns
from tasks.export.forest_graph import row_outliers
from tasks.export.numeric_graph import cyclic_rows, direct_rows, outlier_rows
from tasks.export.raw_column_graph import RawColumn, stack
from tasks.preprocessing.constants import Kind, NumericFeature, Preprocessing

BATCH = "batch"
_DTYPES: dict[str, Any] = {
    "string": np.str_,
    "float64": np.float64,
    "float32": np.float32,
    "int64": np.int64,
    "bool": np.bool_,
}


@dataclass(frozen=True)
class PreprocessingGraph:
    """The graph from raw columns to the network's inputs.

    Attributes:
        inputs: The raw columns, each [batch], by name.
        numeric: float32 [batch, numeric features].
        categorical: int64 [batch, categorical features].
        codes: The columns of `categorical`, int64 [batch] each.
    """

    inputs: Mapping[str, Var]
    numeric: Var
    categorical: Var
    codes: Sequence[Var]


def build_preprocessing(preprocessing: Preprocessing, inputs: Sequence[InputSpec]) -> PreprocessingGraph:
    """Emit the graph of fitted constants.

    Args:
        preprocessing: The constants.
        inputs: The raw columns, which hold every column of `preprocessing.columns`.

    Raises:
        ConfigError: A category cannot be told apart in the tensor type that its column travels in.
    """
    arguments = {spec.name: argument(Tensor(_DTYPES[spec.tensor], (BATCH,))) for spec in inputs}
    columns = {spec.name: RawColumn(spec, arguments[spec.name]) for spec in inputs}
    codes = [category_codes(columns[feature.column], feature) for feature in preprocessing.categorical]
    rows = op.shape(arguments[inputs[0].name])
    return PreprocessingGraph(
        inputs=arguments,
        numeric=_numeric(columns, preprocessing) if preprocessing.numeric else _no_columns(rows, np.float32),
        categorical=op.transpose(stack(codes)) if codes else _no_columns(rows, np.int64),
        codes=codes,
    )


def _no_columns(rows: Var, dtype: type[np.generic]) -> Var:
    shape = op.concat([rows, op.const(np.array([0], np.int64))], axis=0)
    return op.constant_of_shape(shape, value=np.zeros(1, dtype))


def _numeric(columns: Mapping[str, RawColumn], preprocessing: Preprocessing) -> Var:
    """Emit the features that are computed together, group by group, and put them in order."""

    def of(*kinds: Kind) -> list[NumericFeature]:
        return [each for each in preprocessing.numeric if each.kind in kinds]

    groups: list[FeatureRows] = []
    if direct := of("number", "is_null"):
        groups += direct_rows(columns, direct, preprocessing.chain)
    if flags := of("is_outlier"):
        groups.append(outlier_rows(columns, flags))
    if cyclic := of("sine", "cosine"):
        groups.append(cyclic_rows(columns, cyclic))
    for encoding in preprocessing.encodings:
        encoded = encoded_columns(columns[encoding.category.column], encoding)
        groups.append(FeatureRows.of(encoding.outputs, encoded))
    if judged := of("row_outlier"):
        assert preprocessing.forest is not None, "the flag comes with the forest"
        finished = groups[0]
        rows = [finished.places[name] for name in preprocessing.forest.features]
        outliers = row_outliers(preprocessing.forest, finished.values, rows)
        groups.append(FeatureRows.of([each.name for each in judged], outliers))
    return ordered_columns(groups, [each.name for each in preprocessing.numeric])

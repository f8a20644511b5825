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
from tasks.export.forest_graph import row_outliers
from tasks.export.numeric_graph import cyclic_columns, direct_columns, outlier_flags
from tasks.export.raw_column_graph import RawColumn, stack
from tasks.preprocessing.constants import Preprocessing

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
    columns = {spec.name: RawColumn(spec, arguments[spec.name]) for spec in inputs}
    codes = [category_codes(columns[feature.column], feature) for feature in preprocessing.categorical]
    rows = op.shape(arguments[inputs[0].name])
    return PreprocessingGraph(
        inputs=arguments,
        numeric=_numeric(columns, preprocessing) if preprocessing.numeric else _no_columns(rows, np.float32),
        categorical=op.transpose(stack(codes)) if codes else _no_columns(rows, np.int64),
    )


def _no_columns(rows: Var, dtype: type[np.generic]) -> Var:
    shape = op.concat([rows, op.const(np.array([0], np.int64))], axis=0)
    return op.constant_of_shape(shape, value=np.zeros(1, dtype))


def _numeric(columns: Mapping[str, RawColumn], preprocessing: Preprocessing) -> Var:
    """Emit the groups of features of one kind, float32 [group, batch] each, and put their rows in order."""
    features = preprocessing.numeric
    groups: list[tuple[Sequence[str], Var]] = []
    direct = [each for each in features if each.kind in {"number", "is_null"}]
    if direct:
        groups.append(([each.name for each in direct], direct_columns(columns, direct, preprocessing.chain)))
    flags = [each for each in features if each.kind == "is_outlier"]
    if flags:
        groups.append(([each.name for each in flags], outlier_flags(columns, flags)))
    cyclic = [each for each in features if each.kind in {"sine", "cosine"}]
    if cyclic:
        groups.append(([each.name for each in cyclic], cyclic_columns(columns, cyclic)))
    groups += [
        (encoding.outputs, encoded_columns(columns[encoding.category.column], encoding))
        for encoding in preprocessing.encodings
    ]
    judged = [each.name for each in features if each.kind == "row_outlier"]
    if judged:
        assert preprocessing.forest is not None, "the flag comes with the forest"
        names = [each.name for each in direct]
        rows = [names.index(name) for name in preprocessing.forest.features]
        groups.append((judged, row_outliers(preprocessing.forest, groups[0][1], rows)))
    return op.transpose(_ordered(groups, [each.name for each in features]))


def _ordered(groups: Sequence[tuple[Sequence[str], Var]], names: Sequence[str]) -> Var:
    joined = groups[0][1] if len(groups) == 1 else op.concat([rows for _, rows in groups], axis=0)
    places = {name: place for place, name in enumerate(name for group, _ in groups for name in group)}
    order = [places[name] for name in names]
    return (
        joined if order == list(range(len(places))) else op.gather(joined, op.const(np.array(order, np.int64)), axis=0)
    )

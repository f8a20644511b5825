"""Categories straight to a network's tables.

Networks read categories as one matrix and take every column out of it again. In a graph that has the columns to begin
with, both are left out: for a single row they are a good part of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper

MATRIX = "categorical"


def column_input(column: int) -> str:
    """Return the name of the input that holds one column of the categories."""
    return f"{MATRIX}_{column}"


def with_column_inputs(scores: onnx.ModelProto) -> onnx.ModelProto:
    """Let a model read every column that it takes out of `categorical` from an input of its own.

    Args:
        scores: As `tasks.export.scores.export_scores` gives it; it stays as it is.

    Returns:
        The same function with an input `column_input(i)`, int64 [batch], for each column taken out, and without
        `categorical` where that was all it was for.
    """
    model = onnx.ModelProto()
    model.CopyFrom(scores)
    graph = model.graph
    matrix = next((value for value in graph.input if value.name == MATRIX), None)
    # The body of a loop or a branch reads names from around it, which are not followed here.
    if matrix is None or any(each.type == AttributeProto.GRAPH for node in graph.node for each in node.attribute):
        return model
    batch, columns = matrix.type.tensor_type.shape.dim
    scalars = _scalars(graph)
    taken = {
        node.output[0]: scalars[node.input[1]] % columns.dim_value
        for node in graph.node
        if _takes_column(node) and node.input[1] in scalars
    }
    _set(graph.node, [node for node in graph.node if node.output[0] not in taken])
    for node in graph.node:
        _set(node.input, [column_input(taken[name]) if name in taken else name for name in node.input])
    _drop_unused(graph)
    graph.input.extend(
        helper.make_tensor_value_info(column_input(column), TensorProto.INT64, [batch.dim_param])
        for column in sorted(set(taken.values()))
    )
    return model


def _takes_column(node: NodeProto) -> bool:
    axis = next((each.i for each in node.attribute if each.name == "axis"), 0)
    return node.op_type == "Gather" and node.input[0] == MATRIX and axis == 1


def _scalars(graph: onnx.GraphProto) -> dict[str, int]:
    """Return the graph's constants that are one integer without dimensions."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    tensors |= {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}
    return {
        name: int(numpy_helper.to_array(tensor))
        for name, tensor in tensors.items()
        if tensor.data_type == TensorProto.INT64 and not tensor.dims
    }


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    _set(graph.node, [node for node in graph.node if node.op_type != "Constant" or node.output[0] in used])
    _set(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in used])
    _set(graph.input, [value for value in graph.input if value.name != MATRIX or value.name in used])


def _set(field: Any, values: Sequence[Any]) -> None:
    del field[:]
    field.extend(values)

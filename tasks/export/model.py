"""The whole model in one graph: from raw inputs to the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import spox
from spox import Var

from serving.bundle.manifest import InputSpec
from tasks.export.category_columns import MATRIX, column_input, with_column_inputs
from tasks.export.outputs import output_specs
from tasks.export.predictions_graph import build_predictions
from tasks.export.preprocessing_graph import BATCH, build_preprocessing
from tasks.export.standards import IR_VERSION, ML_OPSET, OPSET
from tasks.images.layout import IMAGE
from tasks.prediction.decision import Decision
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.targets import Target


def build_model(
    preprocessing: Preprocessing,
    inputs: Sequence[InputSpec],
    network: onnx.ModelProto,
    decision: Decision,
    about: Mapping[str, str],
) -> onnx.ModelProto:
    """Join preprocessing, model and decision. The same arguments give the same bytes.

    Args:
        preprocessing: Fitted constants.
        inputs: The raw columns.
        network: Inputs `numeric` and `categorical`, or `image`, output `logits` (`tasks.export.scores.export_scores`).
        decision: Calibration and thresholds.
        about: Written into the model's metadata.

    Returns:
        A checked model with inputs [batch] by column name, or images uint8 [batch, H, W, C], and the outputs of the
        problem (`tasks.export.outputs.output_specs`).
    """
    image = preprocessing.image
    if image is not None:
        pixels = spox.argument(spox.Tensor(np.uint8, (BATCH, *image.shape)))
        arguments, features = {image.column: pixels}, {IMAGE: pixels}
    else:
        graph = build_preprocessing(preprocessing, inputs)
        columns = {column_input(column): codes for column, codes in enumerate(graph.codes)}
        arguments, features = dict(graph.inputs), {"numeric": graph.numeric, MATRIX: graph.categorical, **columns}
        network = with_column_inputs(network)
    used = {value.name: features[value.name] for value in network.graph.input}
    (scores,) = spox.inline(network)(**used).values()
    return assemble(arguments, scores, preprocessing.target, decision, about)


def assemble(
    inputs: Mapping[str, Var], scores: Var, target: Target, decision: Decision, about: Mapping[str, str]
) -> onnx.ModelProto:
    """Put the outputs of the problem onto a graph that ends in scores, and make it a checked model.

    Args:
        inputs: The graph's arguments by name.
        scores: float32 or float64 [batch, O]; see `tasks.preprocessing.targets`.
        target: What the scores stand for.
        decision: Calibration and thresholds.
        about: Written into the model's metadata.
    """
    return _finished(spox.build(dict(inputs), build_predictions(scores, target, decision)), target, about)


def serialize(model: onnx.ModelProto) -> bytes:
    """Return the model's bytes; equal models give equal bytes."""
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _finished(model: onnx.ModelProto, target: Target, about: Mapping[str, str]) -> onnx.ModelProto:
    # The builder declares the lowest versions that hold the operators used; their meaning is the same in ours.
    model.ir_version = IR_VERSION
    del model.opset_import[:]
    model.opset_import.extend([onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid("ai.onnx.ml", ML_OPSET)])
    model.producer_name = "headrace"
    _move_constants(model.graph)
    model.graph.name = "headrace"
    for output, spec in zip(model.graph.output, output_specs(target), strict=True):
        sizes: list[str | int | None] = [BATCH if size < 0 else size for size in spec.shape]
        shape = onnx.helper.make_tensor_type_proto(output.type.tensor_type.elem_type, sizes)
        output.type.CopyFrom(shape)
    onnx.helper.set_model_props(model, dict(sorted(about.items())))
    onnx.checker.check_model(model, full_check=True)
    return model


def _move_constants(graph: onnx.GraphProto) -> None:
    """Keep constants as initializers, where tools that quantize or inspect weights look for them."""
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        if node.op_type != "Constant":
            graph.node.append(node)
            continue
        (value,) = node.attribute
        assert value.name == "value", value.name
        tensor = graph.initializer.add()
        tensor.CopyFrom(value.t)
        tensor.name = node.output[0]

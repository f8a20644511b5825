"""The whole model in one graph: raw columns to label and probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v18 as op

from serving.bundle.manifest import Datatype, InputSpec, OutputSpec
from tasks.export.preprocessing_graph import BATCH, build_preprocessing
from tasks.export.standards import IR_VERSION, LABEL, ML_OPSET, OPSET, PROBABILITIES
from tasks.preprocessing.constants import Preprocessing

_LABEL_DATATYPES: dict[type, Datatype] = {str: "BYTES", int: "INT64", bool: "BOOL"}


def build_model(
    preprocessing: Preprocessing, inputs: Sequence[InputSpec], network: onnx.ModelProto, about: Mapping[str, str]
) -> onnx.ModelProto:
    """Join preprocessing, network, softmax and the decoding of the label.

    The label is the class of the largest probability, the first of equals. The same arguments give the same bytes.

    Args:
        preprocessing: Fitted constants.
        inputs: The raw columns.
        network: Inputs `numeric` and `categorical`, output `logits` (`tasks.export.network.export_network`).
        about: Written into the model's metadata.

    Returns:
        A checked model with inputs [batch] by column name and outputs `label` [batch] and `probabilities` float32
        [batch, classes].
    """
    graph = build_preprocessing(preprocessing, inputs)
    features = {"numeric": graph.numeric, "categorical": graph.categorical}
    used = {value.name: features[value.name] for value in network.graph.input}
    (logits,) = spox.inline(network)(**used).values()
    probabilities = op.softmax(logits, axis=1)
    best = op.arg_max(probabilities, axis=1, keepdims=0)
    label = op.gather(op.const(class_array(preprocessing.target.classes)), best)
    model = spox.build(dict(graph.inputs), {LABEL: label, PROBABILITIES: probabilities})
    return _finished(model, len(preprocessing.target.classes), about)


def class_array(classes: Sequence[Any]) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the classes [C] as one array: `str`, int64 or bool."""
    dtypes: dict[type, Any] = {str: np.str_, int: np.int64, bool: np.bool_}
    return np.array(classes, dtype=dtypes[type(classes[0])])


def output_specs(classes: Sequence[Any]) -> tuple[OutputSpec, OutputSpec]:
    """Describe the model's two outputs."""
    return (
        OutputSpec(name=LABEL, datatype=_LABEL_DATATYPES[type(classes[0])], shape=(-1,)),
        OutputSpec(name=PROBABILITIES, datatype="FP32", shape=(-1, len(classes))),
    )


def serialize(model: onnx.ModelProto) -> bytes:
    """Return the model's bytes; equal models give equal bytes."""
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _finished(model: onnx.ModelProto, classes: int, about: Mapping[str, str]) -> onnx.ModelProto:
    # The builder declares the lowest versions that hold the operators used; their meaning is the same in ours.
    model.ir_version = IR_VERSION
    del model.opset_import[:]
    model.opset_import.extend([onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid("ai.onnx.ml", ML_OPSET)])
    model.producer_name = "headrace"
    _move_constants(model.graph)
    model.graph.name = "headrace"
    shapes: tuple[list[str | int | None], ...] = ([BATCH], [BATCH, classes])
    for output, sizes in zip(model.graph.output, shapes, strict=True):
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

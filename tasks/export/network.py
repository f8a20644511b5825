"""The trained network as ONNX, made by torch's own exporter and stripped of everything that is not the network."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch
from torch import nn

from tasks.export.standards import IR_VERSION, OPSET
from tasks.images.layout import IMAGE
from tasks.models.spec import ImageNetwork
from tasks.preprocessing.constants import NULL

# Two rows, because the exporter takes a dimension of one for a constant.
_EXAMPLE_ROWS = 2


def export_network(network: nn.Module, numeric: int, categorical: int) -> onnx.ModelProto:
    """Export a network; two exports of the same weights are the same bytes.

    Args:
        network: `forward(numeric float32 [N, D], categorical int64 [N, K]) -> logits float32 [N, C]`, in eval mode.
        numeric: D.
        categorical: K.

    Returns:
        A model with inputs `numeric` and `categorical`, output `logits`, and a dynamic batch.
    """
    example = (
        torch.zeros(_EXAMPLE_ROWS, numeric),
        torch.full((_EXAMPLE_ROWS, categorical), NULL, dtype=torch.int64),
    )
    return _exported(network, example, ["numeric", "categorical"])


def export_image_network(network: ImageNetwork) -> onnx.ModelProto:
    """Export a network of images in eval mode; two exports of the same weights are the same bytes.

    Returns:
        A model with the input `image`, uint8 [batch, H, W, C], output `logits`, and a dynamic batch.
    """
    spec = network.spec
    example = torch.zeros(_EXAMPLE_ROWS, spec.height, spec.width, spec.channels, dtype=torch.uint8)
    return _exported(network, (example,), [IMAGE])


def _exported(network: nn.Module, example: tuple[torch.Tensor, ...], names: list[str]) -> onnx.ModelProto:
    batch = torch.export.Dim("batch")
    with _without_noise():
        program = torch.onnx.export(
            network,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=names,
            output_names=["logits"],
            dynamic_shapes=tuple({0: batch} for _ in example),
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    assert model.ir_version <= IR_VERSION, model.ir_version
    assert not model.functions, [function.name for function in model.functions]
    return _stripped(model)


def _stripped(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep operators and weights; drop source paths, stack traces and whatever else depends on where it was built."""
    graph = model.graph
    bare = onnx.helper.make_graph(
        nodes=[],
        name="network",
        inputs=[_bare_value(value) for value in graph.input],
        outputs=[_bare_value(value) for value in graph.output],
        initializer=[_bare_tensor(tensor) for tensor in graph.initializer],
    )
    for index, node in enumerate(graph.node):
        kept = bare.node.add()
        kept.CopyFrom(node)
        kept.ClearField("metadata_props")
        kept.ClearField("doc_string")
        kept.name = f"{node.op_type}_{index}"
    return onnx.helper.make_model(bare, opset_imports=list(model.opset_import), ir_version=IR_VERSION)


def _bare_value(value: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    bare = onnx.ValueInfoProto(name=value.name)
    bare.type.CopyFrom(value.type)
    return bare


def _bare_tensor(tensor: onnx.TensorProto) -> onnx.TensorProto:
    assert tensor.data_location != onnx.TensorProto.EXTERNAL, tensor.name
    bare = onnx.TensorProto()
    bare.CopyFrom(tensor)
    bare.ClearField("metadata_props")
    bare.ClearField("doc_string")
    return bare


@contextmanager
def _without_noise() -> Iterator[None]:
    """Silence what the exporter says about packages that nobody asked for and about its own deprecations."""
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        registration.setLevel(level)

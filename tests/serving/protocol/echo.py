"""A model that answers each of its inputs, one of every datatype, as it came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from serving.bundle.manifest import InputSpec, OutputSpec
from serving.bundle.store import ModelStore
from tests.serving.bundles import write_bundle

NUMPY_NAMES: dict[str, Any] = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "string",
}
_ONNX_NAMES = {"float64": "DOUBLE", "float32": "FLOAT"}


def promote_echo(root: Path, name: str = "echo", datatypes: tuple[str, ...] = tuple(NUMPY_NAMES)) -> None:
    """Register the model with inputs `in_<datatype>` and outputs `out_<datatype>`, each [rows, 2], and promote it."""
    kinds: dict[str, Any] = {one: NUMPY_NAMES[one] for one in datatypes}
    inputs = tuple(
        InputSpec(name=f"in_{one}", datatype=one, tensor=kind, logical_type="tensor", nullable=False, shape=(2,))
        for one, kind in kinds.items()
    )
    outputs = tuple(OutputSpec(name=f"out_{one}", datatype=one, shape=(-1, 2)) for one in kinds)
    store = ModelStore(root)
    stored = store.register(
        name,
        lambda folder: write_bundle(
            folder, _graph(kinds), model=name, inputs=inputs, outputs=outputs, problem="regression", classes=()
        ),
    )
    store.set_champion(name, stored.version)


def _graph(kinds: dict[str, str]) -> onnx.ModelProto:
    types = {one: getattr(onnx.TensorProto, _ONNX_NAMES.get(kind, kind.upper())) for one, kind in kinds.items()}
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"in_{one}"], [f"out_{one}"]) for one in kinds],
        "echo",
        [helper.make_tensor_value_info(f"in_{one}", kind, ["batch", 2]) for one, kind in types.items()],
        [helper.make_tensor_value_info(f"out_{one}", kind, ["batch", 2]) for one, kind in types.items()],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])

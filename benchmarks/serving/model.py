"""The network that every server serves: 20 numbers in, two probabilities and a label out."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from serving.bundle.manifest import MANIFEST, MODEL, BundleManifest, InputSpec, OutputSpec
from serving.bundle.read import digest_of_document
from serving.bundle.store import ModelStore

NAME = "mlp"
FEATURES = 20
HIDDEN = 64


def network(seed: int = 0) -> onnx.ModelProto:
    """Return a network with two hidden layers: `features` FP32 [rows, 20] to `label` and `probabilities`."""
    random = np.random.default_rng(seed)
    sizes = (FEATURES, HIDDEN, HIDDEN, 2)
    nodes, weights, at = [], [], "features"
    for layer, (width, out) in enumerate(pairwise(sizes)):
        scale = np.sqrt(2 / width)
        weights.append(numpy_helper.from_array((random.normal(size=(width, out)) * scale).astype("f4"), f"w{layer}"))
        weights.append(numpy_helper.from_array(np.zeros(out, dtype="f4"), f"b{layer}"))
        nodes.append(helper.make_node("Gemm", [at, f"w{layer}", f"b{layer}"], [f"z{layer}"]))
        at = f"z{layer}"
        if layer < len(sizes) - 2:
            nodes.append(helper.make_node("Relu", [at], [f"a{layer}"]))
            at = f"a{layer}"
    nodes.append(helper.make_node("Softmax", [at], ["probabilities"], axis=1))
    nodes.append(helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0))
    graph = helper.make_graph(
        nodes,
        NAME,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", FEATURES])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2]),
        ],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def write_store(root: Path, content: bytes) -> None:
    """Register the network in a model store and make it the champion."""
    store = ModelStore(root)
    stored = store.register(NAME, lambda folder: _write_bundle(folder, content))
    store.set_champion(NAME, stored.version)


def _write_bundle(folder: Path, content: bytes) -> None:
    fields: dict[str, Any] = {
        "model": NAME,
        "digest": "",
        "files": {MODEL: hashlib.sha256(content).hexdigest()},
        "problem": "binary",
        "classes": (0, 1),
        "inputs": (
            InputSpec(
                name="features",
                datatype="FP32",
                tensor="float32",
                logical_type="tensor",
                nullable=False,
                shape=(FEATURES,),
            ),
        ),
        "outputs": (
            OutputSpec(name="label", datatype="INT64", shape=(-1,)),
            OutputSpec(name="probabilities", datatype="FP32", shape=(-1, 2)),
        ),
        "proofs": {},
    }
    manifest = BundleManifest(**fields)
    sealed = manifest.model_copy(update={"digest": digest_of_document(manifest.model_dump(mode="json"))})
    (folder / MODEL).write_bytes(content)
    (folder / MANIFEST).write_text(json.dumps(sealed.model_dump(mode="json")))

"""A candidate bundle of the small model, written without a checkpoint on disk."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from serving.bundle.manifest import MODEL, BundleManifest
from tasks.export.bundle import CONTRACT, PREPROCESSING, REFERENCE, write_bundle
from tasks.export.export import meaning
from tasks.export.model import build_model, serialize
from tasks.export.network import export_network
from tasks.export.outputs import output_specs
from tasks.export.prediction_paths import ServingPath, TrainingPath
from tasks.export.raw_columns import input_specs
from tasks.models.predictor import NetworkPredictor, Predictor
from tasks.prediction.decision import Decision
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.targets import Target
from tasks.references import BundleRef
from tasks.storage import write_atomic, write_json
from tests.tasks.export import small_model


@dataclass(frozen=True)
class Candidate:
    reference: BundleRef
    training: TrainingPath
    serving: ServingPath


@functools.cache
def exported_network() -> onnx.ModelProto:
    constants = small_model.preprocessing()
    return export_network(small_model.network(constants), len(constants.numeric), len(constants.categorical))


class LinearPredictor(Predictor):
    """Scores that differ from row to row, from a matrix drawn once; its twin is `linear_network`."""

    def __init__(self, constants: Preprocessing) -> None:
        random = np.random.default_rng(3)
        self.weights = random.normal(size=(len(constants.numeric), constants.target.outputs)).astype(np.float32)

    def scores(self, *inputs: np.ndarray) -> np.ndarray:
        return np.asarray(np.tanh(inputs[0]) @ self.weights, dtype=np.float64)


def linear_network(weights: np.ndarray) -> onnx.ModelProto:
    shapes = {name: ["batch", size] for name, size in zip(("numeric", "logits"), weights.shape, strict=True)}
    numeric, logits = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shapes[name]) for name in shapes)
    nodes = [
        helper.make_node("Tanh", ["numeric"], ["bent"]),
        helper.make_node("MatMul", ["bent", "weights"], ["logits"]),
    ]
    matrix = onnx.numpy_helper.from_array(weights, "weights")
    graph = helper.make_graph(nodes, "network", [numeric], [logits], [matrix])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def write_linear(home: Path, target: Target, decision: Decision) -> Candidate:
    """Write a candidate for any target, whose scores are linear in what the features' tanh gives."""
    constants = small_model.preprocessing().model_copy(update={"target": target})
    predictor = LinearPredictor(constants)
    training = TrainingPath(constants, predictor, decision)
    return write_from(home, training, linear_network(predictor.weights), "some data")


def write_candidate(home: Path, *, trained_on: str = "some data") -> Candidate:
    """Write a candidate; another `trained_on` gives another digest."""
    constants = small_model.preprocessing()
    training = TrainingPath(constants, NetworkPredictor(small_model.network(constants)))
    return write_from(home, training, exported_network(), trained_on)


def write_from(home: Path, training: TrainingPath, network: onnx.ModelProto, trained_on: str) -> Candidate:
    """Write a candidate of a training path and the graph of its scores."""
    constants = training.preprocessing
    manifest = BundleManifest(
        model="orders",
        digest="",
        files={},
        problem=constants.target.problem,
        inputs=input_specs(small_model.contract(), constants),
        outputs=output_specs(constants.target),
        proofs={},
        **meaning(constants.target),
    )
    model = build_model(constants, manifest.inputs, network, training.decision, {"model": "orders"})

    def fill(folder: Path) -> None:
        write_atomic(folder / MODEL, serialize(model))
        write_json(folder / PREPROCESSING, constants.model_dump(mode="json"))
        write_json(folder / REFERENCE, {"trained_on": trained_on})
        write_atomic(folder / CONTRACT, b"name: orders\n")

    reference = write_bundle(home, manifest, {"contract": {"name": "orders", "digest": "c0"}}, fill)
    return Candidate(reference, training, ServingPath.open(Path(reference.path), manifest))

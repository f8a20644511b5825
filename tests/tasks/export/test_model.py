from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from onnx import helper
from pydantic import TypeAdapter

from tasks.export.model import build_model, serialize
from tasks.export.network import export_network
from tasks.export.outputs import output_specs
from tasks.export.prediction_paths import TrainingPath
from tasks.export.raw_columns import feed, input_specs
from tasks.models.predictor import NetworkPredictor
from tasks.models.registry import NetworkConfig, build_network
from tasks.models.spec import FeatureSpec
from tasks.prediction.decision import Decision
from tasks.preprocessing.transform import transform
from tests.tasks.export import small_model
from tests.tasks.export.conftest import with_edges

CONSTANTS = small_model.preprocessing()
INPUTS = input_specs(small_model.contract(), CONSTANTS)
ABOUT = {"model": "orders", "classes": json.dumps([False, True])}


@pytest.fixture(scope="module")
def network() -> onnx.ModelProto:
    return export_network(small_model.network(CONSTANTS), len(CONSTANTS.numeric), len(CONSTANTS.categorical))


@pytest.fixture(scope="module")
def content(network: onnx.ModelProto) -> bytes:
    return serialize(build_model(CONSTANTS, INPUTS, network, Decision(), ABOUT))


@pytest.fixture(scope="module")
def session(content: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(content)


@settings(max_examples=50, deadline=None)
@given(table=small_model.tables())
def test_raw_rows_give_the_training_paths_probabilities(session: onnxruntime.InferenceSession, table: Any) -> None:
    label, probabilities = session.run(["label", "probabilities"], feed(table, INPUTS))
    features = transform(table, CONSTANTS)
    with torch.inference_mode():
        logits = small_model.network(CONSTANTS)(
            torch.from_numpy(features.numeric), torch.from_numpy(features.categorical)
        )
    expected = torch.softmax(logits, 1).numpy()
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(label, probabilities.argmax(1).astype(bool))
    assert probabilities.dtype == np.float32


def test_the_file_says_its_versions_inputs_and_outputs(content: bytes) -> None:
    model = onnx.load_from_string(content)
    assert model.ir_version == 10
    assert {each.domain: each.version for each in model.opset_import} == {"": 18, "ai.onnx.ml": 3}
    assert [each.name for each in model.graph.input] == [spec.name for spec in INPUTS]
    assert {each.key: each.value for each in model.metadata_props} == ABOUT
    shapes = {
        each.name: [size.dim_param or size.dim_value for size in each.type.tensor_type.shape.dim]
        for each in (*model.graph.input, *model.graph.output)
    }
    assert shapes.pop("probabilities") == ["batch", 2]
    assert all(shape == ["batch"] for shape in shapes.values())
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx.ml"}


def test_tensor_types_are_those_of_the_manifest(content: bytes) -> None:
    graph = onnx.load_from_string(content).graph
    types = {each.name: helper.tensor_dtype_to_np_dtype(each.type.tensor_type.elem_type).name for each in graph.input}
    assert types == {spec.name: "object" if spec.tensor == "string" else spec.tensor for spec in INPUTS}


def test_weights_are_inside_and_no_path_is(content: bytes) -> None:
    model = onnx.load_from_string(content)
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in model.graph.initializer)
    assert not any(node.op_type == "Constant" for node in model.graph.node)
    for trace in (b"/home", b"/root", b"/usr", b"/tmp", b"site-packages", b".py", b"stack_trace"):
        assert trace not in content, trace


def test_the_same_arguments_give_the_same_bytes(network: onnx.ModelProto, content: bytes) -> None:
    assert serialize(build_model(CONSTANTS, INPUTS, network, Decision(), dict(reversed(ABOUT.items())))) == content


def constant_logits(logits: list[float]) -> onnx.ModelProto:
    """A network that gives every row the same logits."""
    size = len(logits)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["numeric", "weights"], ["products"]),
            helper.make_node("Add", ["products", "bias"], ["logits"]),
        ],
        "network",
        [helper.make_tensor_value_info("numeric", onnx.TensorProto.FLOAT, ["batch", len(CONSTANTS.numeric)])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["batch", size])],
        [
            onnx.numpy_helper.from_array(np.zeros((len(CONSTANTS.numeric), size), np.float32), "weights"),
            onnx.numpy_helper.from_array(np.array(logits, np.float32), "bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.parametrize(
    ("classes", "datatype"),
    [((False, True), "BOOL"), ((-3, 0, 12), "INT64"), (("no", "perhaps", "ÿes"), "BYTES"), ((0, 1), "INT64")],
)
def test_labels_have_the_classes_type_and_the_first_of_equals_wins(classes: tuple[Any, ...], datatype: str) -> None:
    constants = small_model.preprocessing(classes)
    assert output_specs(constants.target)[0].datatype == datatype
    logits = [-1.0] * (len(classes) - 2) + [0.5, 0.5]
    model = build_model(constants, INPUTS, constant_logits(logits), Decision(), ABOUT)
    session = onnxruntime.InferenceSession(serialize(model))
    label, probabilities = session.run(None, feed(small_model.some_rows(3), INPUTS))
    assert label.tolist() == [classes[-2]] * 3
    assert type(label.tolist()[0]) is type(classes[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "without"), [("linear", None), ("mlp-ple", None), ("mlp", "numeric"), ("mlp", "categorical")]
)
def test_a_network_becomes_a_model(name: str, without: str | None) -> None:
    constants = with_edges(CONSTANTS)
    if without is not None:
        constants = constants.model_copy(update={without: ()})
    torch.manual_seed(0)
    config: Any = TypeAdapter(NetworkConfig).validate_python({"name": name})
    trained = build_network(config, FeatureSpec.of(constants)).eval()
    inputs = input_specs(small_model.contract(), constants)
    exported = export_network(trained, len(constants.numeric), len(constants.categorical))
    session = onnxruntime.InferenceSession(serialize(build_model(constants, inputs, exported, Decision(), ABOUT)))
    table = small_model.some_rows(40)
    (got,) = session.run(["probabilities"], feed(table, inputs))
    expected = TrainingPath(constants, NetworkPredictor(trained)).predict(table)["probabilities"]
    np.testing.assert_allclose(expected, got, rtol=0, atol=1e-5)

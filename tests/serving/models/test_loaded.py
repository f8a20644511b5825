"""`serving.models.loaded` and `serving.protocol.answer`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx.parser
import orjson
import pytest

from serving.bundle.errors import BundleError
from serving.bundle.manifest import InputSpec, OutputSpec
from serving.models.loaded import LoadedModel, PredictionError
from serving.protocol.answer import Answer, encode
from serving.records.request import InferRequest, RequestedOutput
from tests.serving.bundles import request, write_bundle
from tests.serving.reading import answered

INPUT = InputSpec(name="x", datatype="FP64", tensor="float64", logical_type="number", nullable=True)
OUTPUT = OutputSpec(name="y", datatype="FP64", shape=(-1,))


def write_one_column(folder: Path, nodes: str) -> None:
    text = '<ir_version: 10, opset_import: ["": 18]> g (double[batch] x) => (double[batch] y) <int64[1] one = {1}> '
    graph = onnx.parser.parse_model(f"{text} {{ {nodes} }}")
    write_bundle(folder, graph, inputs=(INPUT,), outputs=(OUTPUT,))


def asked(values: list[float | None]) -> bytes:
    return orjson.dumps({"inputs": [{"name": "x", "datatype": "FP64", "shape": [len(values)], "data": values}]})


def test_it_answers_from_the_bundle_alone(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    model = LoadedModel.load(tmp_path, "7", 10)
    answer = orjson.loads(answered(model, orjson.dumps(request(3))))
    assert answer["model_version"] == "7"
    assert [output["shape"] for output in answer["outputs"]] == [[3], [3, 2]]


def test_a_number_that_is_not_finite_is_null(tmp_path: Path) -> None:
    write_one_column(tmp_path, "y = Identity(x)")
    answer = answered(LoadedModel.load(tmp_path, "1", 10), asked([1.5, None]))
    assert orjson.loads(answer)["outputs"][0]["data"] == [1.5, None]


def test_a_graph_that_fails_on_good_input_is_not_the_clients_fault(tmp_path: Path) -> None:
    write_one_column(tmp_path, "y = Reshape(x, one)")
    model = LoadedModel.load(tmp_path, "1", 10)
    with pytest.raises(PredictionError, match="Reshape"):
        answered(model, asked([1.0, 2.0]))


def test_a_graph_that_always_fails_is_refused_at_load(tmp_path: Path) -> None:
    write_one_column(tmp_path, "wide = Concat <axis = 0> (x, x) y = Reshape(wide, one)")
    with pytest.raises(BundleError, match="fails on a row of zeros"):
        LoadedModel.load(tmp_path, "1", 10)


def test_data_is_flat_in_row_major_order() -> None:
    spec = OutputSpec(name="p", datatype="FP32", shape=(-1, 2))
    columns_first = np.asfortranarray(np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32))
    answer = orjson.loads(
        encode(InferRequest(None, 2, {}, (RequestedOutput("p"),)), Answer("m", "1", {"p": columns_first}, {"p": spec}))
    )
    assert answer == {
        "model_name": "m",
        "model_version": "1",
        "outputs": [{"name": "p", "datatype": "FP32", "shape": [2, 2], "data": [0.25, 0.75, 0.5, 0.5]}],
    }

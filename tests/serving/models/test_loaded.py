"""`serving.models.loaded` and `serving.protocol.answer`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx.parser
import orjson
import pytest

from serving.bundle.errors import BundleError
from serving.bundle.manifest import InputSpec, OutputSpec
from serving.errors import ContractViolationError
from serving.models.loaded import LoadedModel, PredictionError
from serving.protocol.answer import Answer, AnswerForm, Run, encode
from serving.records.request import InferRequest, RequestedOutput
from tests.serving.bundles import request, small_manifest, write_bundle
from tests.serving.models.identity import answered_values, asking, identity
from tests.serving.reading import answered

INPUT = InputSpec(name="x", datatype="FP64", tensor="float64", logical_type="number", nullable=True)
OUTPUT = OutputSpec(name="y", datatype="FP64", shape=(-1,))


CONSTANTS = "<int64[1] one = {1}, int64[1] zero = {0}>"


def write_one_column(folder: Path, nodes: str) -> None:
    text = f'<ir_version: 10, opset_import: ["": 18]> g (double[batch] x) => (double[batch] y) {CONSTANTS}'
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


@pytest.mark.parametrize("shape", [(10**6, 10**6, 10**6), (10**18,)])
def test_a_record_that_fits_in_no_memory_is_refused_at_load(tmp_path: Path, shape: tuple[int, ...]) -> None:
    image = INPUT.model_copy(update={"shape": shape, "logical_type": "tensor", "nullable": False})
    graph = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 18]> g (double[n] x) => (double[n] y) { y = Identity(x) }'
    )
    write_bundle(tmp_path, graph, inputs=(image,), outputs=(OUTPUT,))
    with pytest.raises(BundleError, match="a row of zeros"):
        LoadedModel.load(tmp_path, "1", 10)


def together(model: LoadedModel, *requests: list[float | None]) -> list[Any]:
    """Return the outcomes of requests that run together: the values, or the error."""
    read = [model.reader.read(orjson.loads(asked(values))) for values in requests]
    return [
        outcome.outputs["y"].tolist() if isinstance(outcome, Answer) else type(outcome)
        for outcome in model.predict(read)
    ]


def test_a_graph_that_fails_on_one_request_answers_the_others(tmp_path: Path) -> None:
    write_one_column(tmp_path, "y = Reshape(x, one)")
    model = LoadedModel.load(tmp_path, "1", 10)
    assert together(model, [1.0], [2.0, 3.0], [4.0]) == [[1.0], PredictionError, [4.0]]


def test_a_graph_that_loses_rows_mixes_no_answers(tmp_path: Path) -> None:
    write_one_column(tmp_path, "y = ReduceSum(x, zero)")
    model = LoadedModel.load(tmp_path, "1", 10)
    assert together(model, [1.0], [2.0, 3.0], [4.0]) == [[1.0], PredictionError, [4.0]]


def test_good_requests_beside_bad_ones_run_together_once(tmp_path: Path) -> None:
    model = identity(tmp_path)
    outcomes = model.predict([asking(model, [1.0]), asking(model, [-1.0]), asking(model, [2.0, 3.0])])
    assert [type(outcome) for outcome in outcomes] == [Answer, ContractViolationError, Answer]
    assert [answered_values(outcomes[0]), answered_values(outcomes[2])] == [[1.0], [2.0, 3.0]]
    assert model.seen == [[1, 1, 2], [1, 2]]


def test_data_is_flat_in_row_major_order() -> None:
    spec = OutputSpec(name="p", datatype="FP32", shape=(-1, 2))
    columns_first = np.asfortranarray(np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32))
    form = AnswerForm(small_manifest(model="m", outputs=(spec,)), "1")
    request = InferRequest(None, 2, {}, (RequestedOutput("p"),))
    answer = orjson.loads(encode(request, Answer(Run(form, {"p": columns_first}))).body)
    assert answer == {
        "model_name": "m",
        "model_version": "1",
        "outputs": [{"name": "p", "datatype": "FP32", "shape": [2, 2], "data": [0.25, 0.75, 0.5, 0.5]}],
    }

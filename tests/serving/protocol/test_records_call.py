"""The records API, against the real server process and by its pieces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import onnx.parser
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.bundle.manifest import InputSpec, OutputSpec
from serving.errors import BadRequestError
from serving.models.loaded import LoadedModel
from serving.protocol.answer import Answer
from serving.protocol.reader import RequestReader
from serving.protocol.records_call import RecordsCall
from tests.serving.bundles import Endpoint, request, small_manifest, write_bundle
from tests.serving.reading import answered

PATH = "/v1/models/small:predict"
RECORD = {
    "carrier": "UA",
    "distance": 500,
    "seats": 150,
    "engines": 2,
    "charter": False,
    "departs": "2013-05-01T10:00:00Z",
}


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=endpoint.url, timeout=20) as client:
        yield client


@pytest.mark.parametrize("path", [PATH, "/v1/models/small/versions/1:predict"])
def test_a_record_gets_its_label_and_probabilities(client: httpx.Client, path: str) -> None:
    answer = client.post(path, json={"id": "a", "records": [RECORD, {"seats": 1, "charter": True}]})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["model"], said["version"], said["id"]) == ("small", "1", "a")
    first, second = said["predictions"]
    assert first["label"] == "late"
    assert list(first["probabilities"]) == ["on time", "late"]
    assert first["probabilities"]["late"] == pytest.approx(1 / (1 + math.exp(-1.75)))
    # What a record leaves out is null: an unknown carrier, no distance, 10 for a charter.
    assert second["probabilities"]["late"] == pytest.approx(1 / (1 + math.exp(-10.5)))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "'records': expected a list of objects, got nothing"),
        ({"records": []}, "got an empty list"),
        ({"records": [1]}, "got a number in row 0"),
        ({"records": [RECORD], "instances": []}, "unknown member"),
        ({"records": [RECORD], "id": 7}, "'id': expected a string"),
        ({"records": [RECORD, RECORD | {"carier": "UA"}]}, "row 1: unknown column \"carier\": did you mean 'carrier'?"),
        ({"records": [{key: value for key, value in RECORD.items() if key != "seats"}]}, "seats.required"),
        ({"records": [RECORD | {"carrier": "XX"}]}, "carrier.enum"),
        ({"records": [RECORD | {"seats": "many"}]}, "seats"),
        ({"records": [RECORD | {"departs": {"a": 1}}]}, "departs"),
        ({"records": [RECORD] * 20_000}, "at most 16384 rows"),
    ],
)
def test_what_is_no_record_of_the_model_is_refused(client: httpx.Client, document: Any, said: str) -> None:
    answer = client.post(PATH, json=document)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_paths_and_methods(client: httpx.Client) -> None:
    assert client.get(PATH).status_code == 405
    for path in ("/v1/models/other:predict", "/v1/models/:predict", "/v1/models/small/versions/9:predict"):
        assert client.post(path, json={"records": [RECORD]}).status_code == 404
    assert client.post("/v1/models/small/x:predict", json={}).status_code == 404


def test_both_ways_to_ask_agree(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    model = LoadedModel.load(tmp_path, "1", 10)
    call = RecordsCall(orjson.dumps({"records": [RECORD]}))
    asked = call.read(model.reader)
    (outcome,) = model.predict([asked])
    assert isinstance(outcome, Answer)
    (prediction,) = orjson.loads(call.write(asked, outcome).body)["predictions"]
    label, probabilities = orjson.loads(answered(model, orjson.dumps(request())))["outputs"]
    assert [prediction["label"]] == label["data"]
    assert list(prediction["probabilities"].values()) == probabilities["data"]


def test_numbers_and_quantiles_have_their_names(tmp_path: Path) -> None:
    graph = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 18]> g (double[batch] x) => (double[batch, 2] quantiles) '
        "<int64[1] last = {1}> { c = Unsqueeze(x, last) quantiles = Concat <axis = 1> (c, c) }"
    )
    inputs = (InputSpec(name="x", datatype="FP64", tensor="float64", logical_type="number", nullable=True),)
    outputs = (OutputSpec(name="quantiles", datatype="FP64", shape=(-1, 2)),)
    changes = {"inputs": inputs, "outputs": outputs, "problem": "quantile", "classes": (), "quantiles": (0.1, 0.9)}
    write_bundle(tmp_path, graph, **changes)
    model = LoadedModel.load(tmp_path, "1", 10)
    call = RecordsCall(b'{"records": [{"x": 2.5}, {}]}')
    asked = call.read(model.reader)
    (outcome,) = model.predict([asked])
    assert isinstance(outcome, Answer)
    predictions = orjson.loads(call.write(asked, outcome).body)["predictions"]
    assert predictions == [{"quantiles": {"0.1": 2.5, "0.9": 2.5}}, {"quantiles": {"0.1": None, "0.9": None}}]


def test_labels_that_are_integers_are_numbers(tmp_path: Path) -> None:
    graph = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 18]> g (double[batch] x) => (int64[batch] label) '
        "{ label = Cast <to = 7> (x) }"
    )
    inputs = (InputSpec(name="x", datatype="FP64", tensor="float64", logical_type="number", nullable=False),)
    outputs = (OutputSpec(name="label", datatype="INT64", shape=(-1,)),)
    write_bundle(tmp_path, graph, inputs=inputs, outputs=outputs, classes=(1, 2, 3))
    model = LoadedModel.load(tmp_path, "1", 10)
    call = RecordsCall(b'{"records": [{"x": 3}, {"x": 1}]}')
    asked = call.read(model.reader)
    (outcome,) = model.predict([asked])
    assert isinstance(outcome, Answer)
    assert orjson.loads(call.write(asked, outcome).body)["predictions"] == [{"label": 3}, {"label": 1}]


READER = RequestReader(small_manifest(), 100)
values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
)
records = st.lists(st.dictionaries(st.sampled_from([*RECORD, "other"]), values, max_size=7) | values, max_size=3)


@given(records | values)
def test_any_records_give_a_request_or_a_refusal(content: Any) -> None:
    try:
        body = orjson.dumps({"records": content})
    except TypeError:
        return
    try:
        asked = RecordsCall(body).read(READER)
    except BadRequestError:
        return
    assert asked.rows == len(content)

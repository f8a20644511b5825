"""`serving.protocol.reader`, `serving.records`: whatever comes in, the outcome is a request or a `BadRequestError`."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.bundle.manifest import NULL_TIMESTAMP
from serving.errors import BadRequestError, ContractViolationError
from tests.serving.bundles import request, small_manifest
from tests.serving.reading import Decoded, Decoder

DECODER = Decoder(small_manifest(), max_batch=100)


def decode(content: Any) -> Decoded:
    return DECODER.decode(content if isinstance(content, bytes) else json.dumps(content).encode())


def refusal(content: Any) -> str:
    with pytest.raises(BadRequestError) as caught:
        decode(content)
    return str(caught.value)


def violations(**columns: Any) -> list[Any]:
    with pytest.raises(ContractViolationError) as caught:
        decode(request(len(next(iter(columns.values()))), **columns))
    found = caught.value.details["violations"]
    assert all(str(v["column"]) in str(caught.value) and v["rule"] in str(caught.value) for v in found)
    return [(v["column"], v["rule"], v["row"], v["got"]) for v in found]


def test_every_type_arrives_as_its_tensor() -> None:
    got = decode(
        request(
            2,
            carrier=["UA", None],
            distance=[5, None],
            seats=[2**60 - 1, -(2**63)],
            engines=[3, None],
            charter=[True, False],
            departs=["2013-05-01T10:00:00+02:00", None],
        )
    )
    assert got.rows == 2
    assert got.outputs == ("label", "probabilities")
    assert got.feed["carrier"].tolist() == ["UA", ""]
    assert got.feed["carrier"].dtype == np.object_
    assert got.feed["distance"].dtype == np.float64
    assert got.feed["distance"][0] == 5.0
    assert math.isnan(got.feed["distance"][1])
    assert got.feed["seats"].tolist() == [2**60 - 1, -(2**63)]
    assert got.feed["engines"].dtype == np.float64
    assert math.isnan(got.feed["engines"][1])
    assert got.feed["charter"].tolist() == [True, False]
    assert got.feed["departs"].tolist() == [1367395200_000_000, NULL_TIMESTAMP]


def test_text_is_read_as_the_contracts_data_is() -> None:
    got = decode(request(6, carrier=[" UA ", "", " ", "n/a", "NaN", "None"]))
    assert got.feed["carrier"].tolist() == ["UA", "", "", "", "", ""]


def test_a_marker_that_the_contract_names_is_a_value() -> None:
    spec = small_manifest().inputs[0]
    rule = spec.rules[0].model_copy(update={"argument": ("NA", "UA")})
    spec = spec.model_copy(update={"rules": (rule,)})
    decoder = Decoder(small_manifest(inputs=(spec,)), 10)
    content = {"inputs": [{"name": "carrier", "datatype": "BYTES", "shape": [3], "data": ["NA", "na", "UA"]}]}
    assert decoder.decode(orjson.dumps(content)).feed["carrier"].tolist() == ["NA", "", "UA"]


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2013-05-01 10:00", 1367402400_000_000),
        ("2013-05-01T10:00:00.1234567Z", 1367402400_123_456),
        ("2013-05-01T10:00:00 +0200", 1367395200_000_000),
        ("9999-12-31T23:59:59-12:00", 253402300799_000_000 + 43_200_000_000),
    ],
)
def test_timestamps(text: str, micros: int) -> None:
    spec = small_manifest().inputs[5].model_copy(update={"rules": ()})
    decoder = Decoder(small_manifest(inputs=(spec,)), 10)
    entry = {"name": "departs", "datatype": "BYTES", "shape": [1], "data": [text]}
    assert decoder.decode(orjson.dumps({"inputs": [entry]})).feed["departs"].tolist() == [micros]
    entry |= {"datatype": "INT64", "data": [micros]}
    assert decoder.decode(orjson.dumps({"inputs": [entry]})).feed["departs"].tolist() == [micros]


@pytest.mark.parametrize(
    "value", ["2013-W01-1", "20130101", "2013-02-30", "yesterday", "2013-05-01T25:00", "٢٠١٣-05-01", 5, [], {}]
)
def test_what_is_no_timestamp_breaks_the_type(value: Any) -> None:
    [(column, rule, row, _)] = violations(departs=[value])
    assert (column, rule, row) == ("departs", "departs.type", 0)


def test_dates_are_days() -> None:
    spec = small_manifest().inputs[5].model_copy(update={"rules": (), "logical_type": "date"})
    decoder = Decoder(small_manifest(inputs=(spec,)), 10)

    def read(value: Any, datatype: str = "BYTES") -> list[int]:
        entry = {"name": "departs", "datatype": datatype, "shape": [1], "data": [value]}
        return list(decoder.decode(orjson.dumps({"inputs": [entry]})).feed["departs"].tolist())

    assert read("1970-01-02") == read(86_400_000_000, "INT64") == [86_400_000_000]
    assert read("1970-01-02T00:00") == read(" 1970-01-02 ") == read("1970-01-02")
    for bad in ("1970-01-02T00:01", "19700102", "1970-W01-1", "1970-13-01", 1):
        with pytest.raises(ContractViolationError, match="YYYY-MM-DD"):
            read(bad)
    for micros in (86_400_000_001, NULL_TIMESTAMP):
        with pytest.raises(ContractViolationError, match="YYYY-MM-DD"):
            read(micros, "INT64")


def test_a_column_of_single_values_may_be_nested() -> None:
    content = request(2)
    for entry in content["inputs"]:
        entry["shape"] = [2, 1]
    content["inputs"][0]["data"] = [["UA"], [None]]
    assert decode(content).feed["carrier"].tolist() == ["UA", ""]


def test_selection_id_and_parameters() -> None:
    content = request() | {"id": "", "parameters": {"a": 1}, "outputs": [{"name": "label", "parameters": {}}]}
    got = decode(content)
    assert (got.id, got.outputs) == ("", ("label",))
    assert decode(request() | {"id": None, "model_name": "small"}).id is None


def test_violations_name_column_rule_row_and_value() -> None:
    assert violations(carrier=["UA", "XX"]) == [("carrier", "carrier.enum", 1, "XX")]
    assert violations(distance=[-1.5]) == [("distance", "distance.minimum", 0, -1.5)]
    assert violations(seats=[None, 1]) == [("seats", "seats.required", 0, None)]
    assert violations(seats=[2**60 + 1]) == [("seats", "seats.maximum", 0, 2**60 + 1)]
    assert violations(departs=["1999-12-31"]) == [("departs", "departs.minimum", 0, "1999-12-31")]
    assert violations(charter=[1]) == [("charter", "charter.type", 0, 1)]
    assert violations(seats=[1.0, True, 2**63, "1", [1], 10**20]) == [
        ("seats", "seats.type", row, got) for row, got in enumerate([1.0, True, 2**63, "1", "[1]"])
    ]
    assert violations(carrier=["x" * 500])[0][3] == "x" * 100 + "..."


def test_violations_are_counted_and_bounded() -> None:
    with pytest.raises(ContractViolationError, match=r"90 values break .* first 5 are listed") as caught:
        decode(request(90, carrier=["XX"] * 90))
    assert len(caught.value.details["violations"]) == 5
    assert len(str(caught.value)) < 2000


def changed(column: int = 0, **fields: Any) -> dict[str, Any]:
    content = request()
    content["inputs"][column].update(fields)
    return content


BAD: dict[str, tuple[Any, str]] = {
    "empty body": (b"", "empty"),
    "not JSON": (b"{", "not JSON"),
    "not UTF-8": (b'{"id": "\xff"}', "not JSON"),
    "lone surrogate": (b'{"id": "\\ud800"}', "not JSON"),
    "NaN": (json.dumps(request(distance=[math.nan])).encode(), "not JSON"),
    "Infinity": (json.dumps(request(distance=[math.inf])).encode(), "not JSON"),
    "number beyond float64": (json.dumps(request()).replace("500.0", "1e999").encode(), "not JSON"),
    "deep nesting": (b"[" * 200_000, "not JSON"),
    "deep data": (json.dumps(changed(data=[])).replace("[]", "[" * 2000 + "]" * 2000, 1).encode(), "not JSON"),
    "a list": ([], "JSON object"),
    "a number": (1, "JSON object"),
    "no inputs": ({}, "'inputs'"),
    "null inputs": ({"inputs": None}, "'inputs'"),
    "empty inputs": ({"inputs": []}, "'inputs'"),
    "numbers as inputs": ({"inputs": [1] * 100_000}, "expected objects"),
    "id of a number": (request() | {"id": 1}, "'id'"),
    "parameters of a list": (request() | {"parameters": [1]}, "'parameters'"),
    "outputs of an object": (request() | {"outputs": {}}, "'outputs'"),
    "unknown output": (request() | {"outputs": [{"name": "lable"}]}, "did you mean 'label'"),
    "output without name": (request() | {"outputs": [{}]}, "unknown output"),
    "output twice": (request() | {"outputs": [{"name": "label"}] * 2}, "twice"),
    "classification": (
        request() | {"outputs": [{"name": "label", "parameters": {"classification": 2}}]},
        "ranks numbers only",
    ),
    "missing input": ({"inputs": request()["inputs"][1:]}, "missing: 'carrier'"),
    "unknown input": (changed(name="carier"), "did you mean 'carrier'"),
    "input of no name": (changed(name=None), "unknown input null"),
    "name of a list": (changed(name=["carrier"]), "unknown input"),
    "long name": (changed(name="c" * 1_000_000), "unknown input"),
    "input twice": ({"inputs": [*request()["inputs"], request()["inputs"][0]]}, "twice"),
    "wrong datatype": (changed(datatype="FP32"), "expected datatype BYTES"),
    "datatype of a list": (changed(datatype=["BYTES"]), "expected datatype"),
    "binary data": (changed(parameters={"binary_data_size": 3}), "got both"),
    "shared memory": (changed(parameters={"shared_memory_region": "x"}), "extension"),
    "no shape": (changed(shape=None), "expected shape"),
    "scalar shape": (changed(shape=[]), "expected shape"),
    "wide shape": (changed(shape=[1, 2]), "expected shape"),
    "shape of text": (changed(shape=["1"]), "expected shape"),
    "shape of booleans": (changed(shape=[True]), "expected shape"),
    "negative shape": (changed(shape=[-1]), "expected shape"),
    "fractional shape": (changed(shape=[1.5]), "expected shape"),
    "shape beyond 64 bits": (changed(shape=[10**30]), "expected shape"),
    "overflowing product": (changed(shape=[10**15, 10**15]), "expected shape"),
    "many rows": (changed(shape=[10**15]), "at most 100 rows"),
    "no rows": (changed(shape=[0], data=[]), "at least one row"),
    "too few values": (changed(shape=[2]), "a list of 2 values"),
    "too many values": (changed(data=["UA", "UA"]), "a list of 1 values"),
    "no data": (changed(data=None), "got nothing"),
    "data of text": (changed(data="UA"), "got a string"),
    "other rows": (changed(1, shape=[2], data=[1.0, 2.0]), "has 2 rows"),
    "ragged data": (changed(shape=[1, 1], data=[["UA", "UA"]]), "a list of 1 values"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_request_is_told_what_is_wrong(what: str) -> None:
    content, part = BAD[what]
    message = refusal(content)
    assert part in message
    assert len(message) < 2000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "x"]), inner, max_size=3),
    max_leaves=8,
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([spec.name for spec in small_manifest().inputs]) | JSON,
        "datatype": st.sampled_from(["BYTES", "FP64", "INT64", "BOOL", "FP32"]) | JSON,
        "shape": st.lists(st.integers(-2, 4), max_size=3) | JSON,
        "data": st.lists(JSON, max_size=4) | JSON,
        "parameters": JSON,
    },
)
REQUEST = st.fixed_dictionaries(
    {"inputs": st.lists(ENTRY | JSON, max_size=7) | JSON}, optional={"id": JSON, "outputs": JSON, "parameters": JSON}
)


def result_or_refusal(body: bytes) -> None:
    try:
        got = DECODER.decode(body)
    except BadRequestError as error:
        answer = orjson.dumps({"error": str(error), **error.details})
    else:
        assert {len(tensor) for tensor in got.feed.values()} == {got.rows}
        assert len(got.feed) == len(small_manifest().inputs)
        return
    assert len(answer) < 10_000


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_result_or_a_refusal(body: bytes) -> None:
    result_or_refusal(body)


@settings(max_examples=200, deadline=None)
@given(REQUEST)
def test_any_json_gives_a_result_or_a_refusal(content: Any) -> None:
    result_or_refusal(json.dumps(content).encode())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5), st.sampled_from(["name", "datatype", "shape", "data", "parameters"]), JSON)
def test_one_wrong_field_gives_a_result_or_a_refusal(column: int, field: str, value: Any) -> None:
    result_or_refusal(json.dumps(changed(column, **{field: value})).encode())


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), max_size=3), st.lists(JSON, min_size=1, max_size=3))
def test_any_values_give_a_result_or_a_refusal(columns: list[int], data: list[Any]) -> None:
    content = request(len(data))
    for column in columns:
        content["inputs"][column]["data"] = data
    result_or_refusal(json.dumps(content).encode())

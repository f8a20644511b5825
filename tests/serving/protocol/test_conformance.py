"""The Open Inference Protocol's sentences, one by one, against the real server process over raw HTTP.

https://github.com/kserve/open-inference-protocol; the sentences are told in short.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.serving.protocol.echo import NUMPY_NAMES
from tests.serving.protocol.wire import PAIR, VALUES, Wire, asked, entry, scores


def server_metadata(wire: Wire) -> None:
    for path in ("/v2", "/v2/"):
        reply = wire.get(path)
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json"
        assert set(reply.json) == {"name", "version", "extensions"}
        assert {"binary_tensor_data", "classification"} <= set(reply.json["extensions"])


def health(wire: Wire) -> None:
    assert wire.get("/v2/health/live").json["live"] is True
    assert wire.get("/v2/health/ready").status == 200
    for path in ("/v2/models/echo/ready", "/v2/models/echo/versions/1/ready"):
        assert wire.get(path).json == {"name": "echo", "ready": True}


def model_metadata(wire: Wire) -> None:
    for path in ("/v2/models/echo", "/v2/models/echo/versions/1"):
        found = wire.get(path).json
        assert (found["name"], found["versions"]) == ("echo", ["1"])
        assert isinstance(found["platform"], str)
        for side in ("inputs", "outputs"):
            assert all(set(one) == {"name", "datatype", "shape"} for one in found[side])
            assert {(one["datatype"], tuple(one["shape"])) for one in found[side]} == {
                (k, (-1, 2)) for k in NUMPY_NAMES
            }


def errors(wire: Wire) -> None:
    for reply in (
        wire.get("/v2/models/none"),
        wire.get("/v2/models/echo/versions/9"),
        wire.infer("none", PAIR),
        wire.infer("pair", {}),
        wire.ask("POST", "/v2/models/pair/infer", b"{"),
    ):
        assert 400 <= reply.status < 500
        assert isinstance(reply.json["error"], str)


def identity(wire: Wire) -> None:
    wrong: Any
    for name in ("42", "", "é"):
        assert wire.infer("pair", PAIR | {"id": name}).json["id"] == name
    assert "id" not in wire.infer("pair", PAIR).json
    for wrong in (42, [], {}, True):
        assert wire.infer("pair", PAIR | {"id": wrong}).status == 400


def no_nulls(wire: Wire) -> None:
    def nulls(value: Any) -> bool:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return value is None or any(map(nulls, inner))

    for reply in (wire.get("/v2"), wire.get("/v2/models/echo"), wire.infer("pair", PAIR), wire.infer("pair", {})):
        assert not nulls(reply.json)


def versions(wire: Wire) -> None:
    reply = wire.ask("POST", "/v2/models/pair/versions/1/infer", json.dumps(PAIR).encode())
    assert (reply.status, reply.json["model_name"], reply.json["model_version"]) == (200, "pair", "1")
    assert wire.ask("POST", "/v2/models/pair/versions/2/infer", json.dumps(PAIR).encode()).status == 404


def unknown_parameters(wire: Wire) -> None:
    wrong: Any
    content = json.loads(json.dumps(PAIR)) | {"parameters": {"priority": 1, "x": [None]}, "unknown": 1}
    content["inputs"][0]["parameters"] = {"content_type": "np"}
    content["outputs"] = asked("out_BOOL", anything={})
    assert wire.infer("pair", content).status == 200
    for wrong in ([], "a", 1):
        assert wire.infer("pair", PAIR | {"parameters": wrong}).status == 400


def all_outputs(wire: Wire) -> None:
    for content in (PAIR, PAIR | {"outputs": []}):
        assert [one["name"] for one in wire.infer("pair", content).json["outputs"]] == ["out_UINT32", "out_BOOL"]


def chosen_outputs(wire: Wire) -> None:
    content = PAIR | {"outputs": [{"name": "out_BOOL"}, {"name": "out_UINT32"}]}
    assert [one["name"] for one in wire.infer("pair", content).json["outputs"]] == ["out_BOOL", "out_UINT32"]
    assert len(wire.infer("pair", PAIR | {"outputs": [{"name": "out_BOOL"}]}).json["outputs"]) == 1
    assert wire.infer("pair", PAIR | {"outputs": [{"name": "none"}]}).status == 400


def datatypes_in_json(wire: Wire) -> None:
    reply = wire.infer("echo", {"inputs": [entry(one) for one in VALUES]})
    assert reply.status == 200
    for one in reply.json["outputs"]:
        assert set(one) == {"name", "datatype", "shape", "data"}
        assert one["shape"] == [1, 2]
        # Each number is written as short as its own datatype allows.
        assert one["data"] == VALUES[one["datatype"]]


def row_major(wire: Wire) -> None:
    flat = scores([0.5, 1.5, 2.5, 3.5], [2, 2])
    nested = scores([[0.5, 1.5], [2.5, 3.5]], [2, 2])
    for content in (flat, nested):
        assert wire.infer("scores", content).json["outputs"][0]["data"] == [0.5, 1.5, 2.5, 3.5]


def sizes(wire: Wire) -> None:
    for data, shape in (
        ([1.0], [1, 2]),
        ([1.0] * 3, [1, 2]),
        ([[1.0, 2.0, 3.0], [4.0]], [2, 2]),
        ([1.0, 2.0], [1, 3]),
        ([1.0, 2.0], [2]),
        ([1.0, 2.0], [-1, 2]),
        ([1.0, 2.0], [1.0, 2]),
        ([1.0, 2.0], ["1", 2]),
        ([1.0, 2.0], [10**15, 10**15]),
        ([1.0, 2.0], [2**64 + 1, 2]),
        ([], [0, 2]),
        ([1.0, "2"], [1, 2]),
        ([1.0, None], [1, 2]),
        ([1.0, True], [1, 2]),
        ([1.0, 1e39], [1, 2]),
    ):
        assert wire.infer("scores", scores(data, shape)).status == 400


def datatype_of_the_input(wire: Wire) -> None:
    for wrong in ("FP64", "fp32", "FLOAT", "", 1, None):
        assert wire.infer("scores", {"inputs": [entry("FP32", datatype=wrong)]}).status == 400


SENTENCES: list[tuple[str, Callable[[Wire], None]]] = [
    ("Server metadata is an object of name, version and extensions, at /v2", server_metadata),
    ("Health and readiness are asked with GET and answered with live, ready and the model's name", health),
    ("Model metadata names each tensor with datatype and shape, and a variable dimension is -1", model_metadata),
    ("A failed request is answered with an HTTP error status and an object with a string 'error'", errors),
    ("The id, if specified, must be returned in the response", identity),
    ("A field that is optional is absent when it has no value", no_nulls),
    ("The path may name the version, and the answer names the model and version used", versions),
    ("Parameters are an object; what a server does not know in it is ignored", unknown_parameters),
    ("Without 'outputs', all outputs are returned", all_outputs),
    ("With 'outputs', the outputs requested are returned", chosen_outputs),
    ("Every datatype may be an input and an output, its data as JSON", datatypes_in_json),
    ("Data is in row-major order, flattened or nested", row_major),
    ("Each dimension must be an integer of 64 bits, and the data have the shape's number of elements", sizes),
    ("The datatype is one of the protocol's names, and the input's", datatype_of_the_input),
]


@pytest.mark.parametrize("check", [check for _, check in SENTENCES], ids=[sentence for sentence, _ in SENTENCES])
def test_the_protocol_is_kept(wire: Wire, check: Callable[[Wire], None]) -> None:
    check(wire)

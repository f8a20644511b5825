"""The sentences of the protocol's extensions, one by one, against the real server process over raw HTTP.

https://github.com/triton-inference-server/server/tree/main/docs/protocol; the sentences are told in short.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest

from serving.protocol.binary import text_bytes
from tests.serving.bundles import request
from tests.serving.protocol.wire import PAIR, VALUES, Wire, asked, blob, entry, scores


def datatypes_in_binary(wire: Wire) -> None:
    inputs = [entry(one, data=None, parameters={"binary_data_size": len(blob(one))}) for one in VALUES]
    tail = b"".join(map(blob, VALUES))
    reply = wire.infer("echo", {"inputs": inputs, "parameters": {"binary_data_output": True}}, tail)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.tail == tail
    for one in reply.json["outputs"]:
        assert set(one) == {"name", "datatype", "shape", "parameters"}
        assert one["parameters"] == {"binary_data_size": len(blob(one["datatype"]))}


def mixed_inputs(wire: Wire) -> None:
    first = entry("UINT32", data=None, parameters={"binary_data_size": 8})
    second = entry("BOOL", data=None, parameters={"binary_data_size": 2})
    blobs = struct.pack("<2I", 7, 8), b"\1\0"
    for inputs, tail in (
        ([first, entry("BOOL")], blobs[0]),
        ([entry("UINT32", data=[7, 8]), second], blobs[1]),
        ([first, second], blobs[0] + blobs[1]),
        ([second, first], blobs[1] + blobs[0]),
    ):
        reply = wire.infer("pair", {"inputs": inputs}, tail)
        assert [one["data"] for one in reply.json["outputs"]] == [[7, 8], [True, False]]
        assert reply.headers["content-type"] == "application/json"
        assert "inference-header-content-length" not in reply.headers


def mixed_outputs(wire: Wire) -> None:
    chosen = [{"name": "out_BOOL", "parameters": {"binary_data": True}}, {"name": "out_UINT32"}]
    reply = wire.infer("pair", PAIR | {"outputs": chosen})
    assert [set(one) - {"name", "datatype", "shape"} for one in reply.json["outputs"]] == [{"parameters"}, {"data"}]
    assert reply.tail == b"\1" * 4


def binary_of_one_beats_that_of_all(wire: Wire) -> None:
    for every, one in ((True, False), (False, True)):
        content = PAIR | {"parameters": {"binary_data_output": every}, "outputs": asked("out_BOOL", binary_data=one)}
        assert bool(wire.infer("pair", content).tail) is one
    for wrong in (1, "true", None):
        assert wire.infer("pair", PAIR | {"parameters": {"binary_data_output": wrong}}).status == 400
        assert wire.infer("pair", PAIR | {"outputs": asked("out_BOOL", binary_data=wrong)}).status == 400


def binary_sizes(wire: Wire) -> None:
    def ask(size: Any, tail: bytes, **changes: Any) -> int:
        parameters = {"binary_data_size": size}
        return wire.infer(
            "scores", {"inputs": [entry("FP32", **{"data": None, "parameters": parameters} | changes)]}, tail
        ).status

    assert ask(8, bytes(8)) == 200
    for size, tail in (
        (7, bytes(7)),
        (9, bytes(9)),
        (8, bytes(7)),
        (8, bytes(9)),
        (0, b""),
        (-8, bytes(8)),
        (2**70, b""),
    ):
        assert ask(size, tail) == 400
    assert ask(8, bytes(8), shape=[10**15, 2]) == 400
    assert ask(8, bytes(8), data=[1.0, 2.0]) == 400
    body = json.dumps(scores()).encode()
    for header in ("-1", "x", "1.5", "", str(len(body) + 1), "9" * 40, str(len(body) - 1), "0"):
        reply = wire.ask("POST", "/v2/models/scores/infer", body, Inference_Header_Content_Length=header)
        assert reply.status == 400


def classification(wire: Wire) -> None:
    content = scores([0.25, 0.75, 1.5, 0.5], [2, 2])
    reply = wire.infer("scores", content | {"outputs": asked("out_FP32", classification=1)})
    (one,) = reply.json["outputs"]
    assert (one["datatype"], one["shape"], one["data"]) == ("BYTES", [2, 1], ["0.75:1", "1.5:0"])
    reply = wire.infer("scores", content | {"outputs": asked("out_FP32", classification=2, binary_data=True)})
    assert reply.tail == text_bytes(["0.75:1", "0.25:0", "1.5:0", "0.5:1"])
    labelled = wire.infer("small", request() | {"outputs": asked("probabilities", classification=1)}).json["outputs"][0]
    assert labelled["data"][0].endswith(":1:late")
    for wrong in (-1, 1.5, "2", True, None):
        assert wire.infer("scores", content | {"outputs": asked("out_FP32", classification=wrong)}).status == 400
    assert wire.infer("small", request() | {"outputs": asked("label", classification=1)}).status == 400


def shared_memory(wire: Wire) -> None:
    shared = {"shared_memory_region": "a", "shared_memory_byte_size": 8}
    for content in (
        {"inputs": [entry("FP32", data=None, parameters=shared)]},
        scores(outputs=asked("out_FP32", **shared)),
    ):
        reply = wire.infer("scores", content)
        assert reply.status == 400
        assert "shared memory" in reply.json["error"]


SENTENCES: list[tuple[str, Callable[[Wire], None]]] = [
    ("Every datatype has a binary form, little-endian, BYTES with its length of 4 bytes", datatypes_in_binary),
    ("Binary data follows the JSON in the order of the tensors; JSON and binary mix", mixed_inputs),
    ("If any binary data is present, Inference-Header-Content-Length gives the length of the JSON", mixed_outputs),
    ("'binary_data' of an output overrides 'binary_data_output' of the request", binary_of_one_beats_that_of_all),
    ("'binary_data_size' is the size of the tensor's binary data in bytes", binary_sizes),
    ("'classification' returns BYTES [batch, count] of 'value:index[:label]', the highest first", classification),
    ("A parameter of an extension that the server does not report is not silently dropped", shared_memory),
]


@pytest.mark.parametrize("check", [check for _, check in SENTENCES], ids=[sentence for sentence, _ in SENTENCES])
def test_the_protocol_is_kept(wire: Wire, check: Callable[[Wire], None]) -> None:
    check(wire)

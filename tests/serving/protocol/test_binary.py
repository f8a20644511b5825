"""`serving.protocol.binary`: every size is checked, and whatever bytes come in, a tensor or a refusal comes out."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import BadRequestError
from serving.protocol import binary
from serving.protocol.reader import RequestReader, parse_body
from serving.records.datatypes import WIRE_DTYPES
from serving.records.tensors import Tensors
from tests.serving.bundles import INPUTS, request, small_manifest

READER = RequestReader(small_manifest(), max_batch=100)
TENSORS = Tensors(small_manifest())
TEXTS = st.lists(st.text(max_size=6), min_size=1, max_size=8)


def refusal(datatype: str, count: int, blob: bytes) -> str:
    with pytest.raises(BadRequestError) as caught:
        binary.decode("x", datatype, count, memoryview(blob))
    return str(caught.value)


@given(TEXTS)
def test_texts_come_back(texts: list[str]) -> None:
    blob = binary.text_bytes(texts)
    assert binary.decode("x", "BYTES", len(texts), memoryview(blob)) == texts
    assert binary.encode("BYTES", np.array(texts, dtype=object)) == blob


@given(st.sampled_from(["a", "ab", "", "é", "2013-05-01T10:00:00Z"]), st.integers(1, 9))
def test_texts_of_one_length_come_back(text: str, count: int) -> None:
    blob = binary.text_bytes([text] * count)
    assert binary.decode("x", "BYTES", count, memoryview(blob)) == [text] * count


@pytest.mark.parametrize(("datatype", "dtype"), WIRE_DTYPES.items())
def test_numbers_are_little_endian_in_row_major_order(datatype: str, dtype: np.dtype[Any]) -> None:
    tensor = np.asfortranarray(np.arange(6).reshape(2, 3).astype(dtype))
    blob = binary.encode(datatype, tensor)
    assert blob == np.ascontiguousarray(tensor).astype(dtype.newbyteorder("<")).tobytes()
    # What stands before a tensor in the body may leave it at any address.
    shifted = memoryview(b"x" + blob)[1:]
    got = binary.decode("x", datatype, 6, shifted)
    assert isinstance(got, np.ndarray)
    assert got.flags.aligned
    assert got.tolist() == tensor.ravel().tolist()


@pytest.mark.parametrize(
    ("datatype", "count", "blob", "said"),
    [
        ("FP32", 2, bytes(7), "2 elements of FP32 are 8 bytes, got 7"),
        ("FP32", 2, bytes(12), "got 12"),
        ("FP16", 1, b"", "are 2 bytes, got 0"),
        ("BOOL", 2, b"\x01\x02", "a byte of 0 or 1, got 2"),
        ("BYTES", 2, bytes(7), "at least 8 bytes, got 7"),
        ("BYTES", 2, struct.pack("<I", 9) + bytes(6), "ends within element 0 of 2"),
        ("BYTES", 1, b"\xff\xff\xff\xff", "ends within element 0 of 1"),
        ("BYTES", 2, binary.text_bytes(["abcd"]), "ends within element 1 of 2"),
        ("BYTES", 1, binary.text_bytes(["a", "b"]), "5 bytes are left over behind its 1 elements"),
        ("BYTES", 2, binary.text_bytes(["a"]) + struct.pack("<I", 1) + b"\xff", "element 1 is not UTF-8"),
        ("BYTES", 1, struct.pack("<I", 3) + b"\xed\xa0\x80", "not UTF-8"),
    ],
)
def test_a_wrong_size_is_refused(datatype: str, count: int, blob: bytes, said: str) -> None:
    assert said in refusal(datatype, count, blob)


@pytest.mark.parametrize("value", [b"", b"-1", b"+5", b"1.0", b"0x10", b"1e3", b" 5", b"\xb2", b"9" * 30])
def test_a_header_that_is_no_number_is_refused(value: bytes) -> None:
    with pytest.raises(BadRequestError, match="expected a number of bytes"):
        binary.header_length(value)


def in_binary(rows: int, *names: str) -> tuple[bytes, int]:
    """Return a request with some inputs in binary, and the length of its JSON."""
    content, tail = request(rows), b""
    for entry, spec in zip(content["inputs"], INPUTS, strict=True):
        if spec.name in names:
            values = entry.pop("data")
            text = spec.datatype == "BYTES"
            blob = binary.text_bytes(values) if text else np.array(values, WIRE_DTYPES[spec.datatype]).tobytes()
            entry["parameters"] = {"binary_data_size": len(blob)}
            tail += blob
    head = json.dumps(content).encode()
    return head + tail, len(head)


@pytest.mark.parametrize("names", [(), ("seats",), ("carrier", "charter"), [spec.name for spec in INPUTS]])
def test_json_and_binary_inputs_mix(names: tuple[str, ...]) -> None:
    body, length = in_binary(3, *names)
    got = TENSORS.feed(READER.read(*parse_body(body, length)))
    expected = TENSORS.feed(READER.read(*parse_body(json.dumps(request(3)).encode(), None)))
    assert got.keys() == expected.keys()
    for name, tensor in got.items():
        assert tensor.dtype == expected[name].dtype
        assert tensor.tolist() == expected[name].tolist()


def changed(**entry: Any) -> tuple[bytes, int]:
    content = request(1)
    content["inputs"][2] = {"name": "seats", "datatype": "INT64", "shape": [1]} | entry
    head = json.dumps(content).encode()
    return head + bytes(8), len(head)


@pytest.mark.parametrize(
    ("body", "length", "said"),
    [
        (*changed(parameters={"binary_data_size": 9}), "only 8 bytes are left"),
        (
            *changed(parameters={"binary_data_size": 10**30}),
            "expected parameter 'binary_data_size' to be a whole number",
        ),
        (*changed(parameters={"binary_data_size": 2**62}), "only 8 bytes are left"),
        (*changed(parameters={"binary_data_size": -8}), "to be a whole number"),
        (*changed(parameters={"binary_data_size": True}), "to be a whole number"),
        (*changed(parameters={"binary_data_size": 8.0}), "to be a whole number"),
        (*changed(parameters={"binary_data_size": "8"}), "to be a whole number"),
        (*changed(parameters={"binary_data_size": 7}), "1 elements of INT64 are 8 bytes, got 7"),
        (*changed(parameters={"binary_data_size": 8}, data=[1]), "either 'data' or 'binary_data_size', got both"),
        (*changed(parameters={"binary_data_size": 8}, shape=[10**15, 10**15]), "expected shape"),
        (*changed(parameters={"binary_data_size": 8}, shape=[10**15]), "at most 100 rows"),
        (*changed(parameters={"binary_data_size": 8}, shape=[2]), "has 2 rows, the inputs before it have 1"),
        (*changed(parameters={"binary_data_size": 8, "shared_memory_region": "a"}), "shared memory extension"),
        (*changed(data=[1]), "8 bytes are left over behind the binary tensors"),
        (b"{}", 3, "expected at most the body's 2 bytes, got 3"),
        (b"{}", 10**17, "expected at most the body's 2 bytes"),
        (b"{}1234", 2, "'inputs'"),
        (b"1234", 0, "empty"),
    ],
)
def test_what_the_header_and_the_sizes_say_must_be_so(body: bytes, length: int, said: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        READER.read(*parse_body(body, length))
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_size_without_the_header_finds_no_bytes() -> None:
    body, length = changed(parameters={"binary_data_size": 8})
    with pytest.raises(BadRequestError, match="only 0 bytes are left behind the JSON"):
        READER.read(*parse_body(body[:length], None))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_change_of_a_body_gives_a_request_or_a_refusal(data: st.DataObject) -> None:
    body, length = in_binary(2, *data.draw(st.sets(st.sampled_from([spec.name for spec in INPUTS]))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        put = data.draw(st.binary(max_size=4))
        body = body[:at] + put + body[at + data.draw(st.integers(0, 4)) :]
    length += data.draw(st.sampled_from([0, 0, 1, -1, -length, 10**6]))
    try:
        got = READER.read(*parse_body(body, length))
        feed = TENSORS.feed(got)
    except BadRequestError:
        return
    assert {len(tensor) for tensor in feed.values()} == {got.rows}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([*WIRE_DTYPES, "BYTES"]), st.integers(1, 40), st.binary(max_size=60))
def test_any_bytes_give_a_tensor_or_a_refusal(datatype: str, count: int, blob: bytes) -> None:
    try:
        got = binary.decode("x", datatype, count, memoryview(blob))
    except BadRequestError:
        return
    assert len(got) == count


def test_binary_null_is_nan_the_empty_text_and_the_smallest_moment() -> None:
    moment = 1367395200_000_000
    content = request(2, carrier=["UA", None], distance=[1.5, None], engines=[2, None])
    content["inputs"][5] |= {"datatype": "INT64", "data": [moment, None]}
    expected = TENSORS.feed(READER.read(content))
    blobs = {
        "carrier": binary.text_bytes(["UA", ""]),
        "distance": struct.pack("<2d", 1.5, math.nan),
        "engines": struct.pack("<2d", 2, math.nan),
        "departs": struct.pack("<2q", moment, -(2**63)),
    }
    for entry in content["inputs"]:
        if entry["name"] in blobs:
            del entry["data"]
            entry["parameters"] = {"binary_data_size": len(blobs[entry["name"]])}
    # An integer that may be null travels as a number with room for it.
    content["inputs"][3]["datatype"] = "FP64"
    got = TENSORS.feed(READER.read(content, memoryview(b"".join(blobs.values()))))
    for name, tensor in expected.items():
        np.testing.assert_array_equal(got[name], tensor)

"""`serving.protocol.documents`: a large body is read by another parser, and nobody can tell."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.bundle.manifest import InputSpec
from serving.errors import BadRequestError
from serving.protocol.documents import parse_document
from serving.protocol.reader import RequestReader
from serving.records.tensors import Tensors
from tests.serving.bundles import small_manifest


def tensor(name: str, datatype: Any, kind: Any) -> InputSpec:
    return InputSpec(name=name, datatype=datatype, tensor=kind, logical_type="tensor", nullable=False, shape=(2,))


NUMBER = InputSpec(name="n", datatype="FP64", tensor="float64", logical_type="number", nullable=True)
MANIFEST = small_manifest(inputs=(tensor("f", "FP32", "float32"), tensor("u", "UINT8", "uint8"), NUMBER))
READER = RequestReader(MANIFEST, max_batch=4000)
TENSORS = Tensors(MANIFEST)
PADDING = b" " * 4096


def body(rows: int = 3, **changes: Any) -> bytes:
    """Return a request; a change is an input's data, or its whole entry."""
    entries = [
        {"name": "f", "datatype": "FP32", "shape": [rows, 2], "data": [0.1 * k for k in range(rows * 2)]},
        {"name": "u", "datatype": "UINT8", "shape": [rows, 2], "data": [k % 256 for k in range(rows * 2)]},
        {"name": "n", "datatype": "FP64", "shape": [rows], "data": [k / 7 for k in range(rows)]},
    ]
    for entry in entries:
        entry["data"] = changes.get(str(entry["name"]), entry["data"])
    return json.dumps({"inputs": entries} | changes.get("document", {})).encode()


def outcome(content: bytes) -> Any:
    """Return the feed's bytes, or the refusal."""
    try:
        feed = TENSORS.feed(READER.read(parse_document(content)))
    except BadRequestError as error:
        return str(error).partition("is not JSON")[0], orjson.dumps(error.details)
    return {name: (value.dtype, value.shape, value.tobytes()) for name, value in feed.items()}


def large(content: bytes) -> bytes:
    """Return the same JSON, so large that the other parser reads it."""
    return content[:1] + PADDING + content[1:]


def test_a_large_body_of_numbers_becomes_arrays() -> None:
    document = parse_document(large(body(document={"id": "7", "parameters": {"a": {"b": 1}}})))
    assert (document["id"], document["parameters"]) == ("7", {"a": {"b": 1}})
    assert [type(entry["data"]) for entry in document["inputs"]] == [np.ndarray] * 3
    assert [entry["data"].dtype.name for entry in document["inputs"]] == ["float32", "uint8", "float64"]
    assert document["inputs"][0]["shape"] == [3, 2]


VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [0, 1, -1, 255, 256, 0.5, 1.0, 1e39, -1e39, 2**53 + 1, 2**63, 2**64 - 1, 2**64, True, None, "1", "NaN", [], [1], {}]
)


@settings(max_examples=120, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "f": st.lists(VALUES | st.floats(allow_nan=False, allow_infinity=False), min_size=6, max_size=6)
            | st.lists(st.lists(st.floats(-9, 9), min_size=1, max_size=3), min_size=3, max_size=3),
            "u": st.lists(VALUES | st.integers(0, 255), min_size=5, max_size=7),
            "n": st.lists(VALUES | st.floats(-9, 9), min_size=3, max_size=3),
            "document": st.sampled_from([{"outputs": [{"name": "label"}]}, {"id": "[["}, {"id": 1}, {"outputs": {}}]),
        },
    )
)
def test_both_parsers_lead_to_the_same_outcome(changes: dict[str, Any]) -> None:
    content = body(**changes)
    assert outcome(large(content)) == outcome(content)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_change_of_a_large_body_leads_to_the_same_outcome(data: st.DataObject) -> None:
    content = body()
    at = data.draw(st.integers(1, len(content)))
    put = data.draw(
        st.sampled_from([b"", b"[", b"]", b",", b"1", b".", b'"', b"-", b"e9", b"null", b"{}", b"\xff", b"\0"])
    )
    content = content[:at] + put + content[at + data.draw(st.integers(0, 3)) :]
    assert outcome(large(content)) == outcome(content)


@pytest.mark.parametrize(
    "content",
    [
        b'{"inputs": [], "inputs": [{}]}',
        b'{"inputs": [{"name": "f", "name": "u", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}',
        b'{"inputs": [{"data": [1, 2], "data": [3]}]}',
        b'{"inputs": [1, 2]}',
        b'{"inputs": null}',
        b'{"id": "\\ud800"}',
        b'{"inputs": [' + b"[" * 3000,
        b"[" * 200_000,
        b"[1]",
        b"{}",
        b"{",
        b"",
    ],
)
def test_a_large_body_is_refused_as_a_small_one_is(content: bytes) -> None:
    assert outcome(large(content)) == outcome(content) or not content


def test_a_byte_order_mark_is_no_json_of_any_size() -> None:
    content = b"\xef\xbb\xbf" + body()
    for size in (b"", PADDING):
        with pytest.raises(BadRequestError, match="not JSON"):
            parse_document(content + size)

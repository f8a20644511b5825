"""Look into an ONNX file without the onnx package, only as far as is needed to refuse what must not be run.

An ONNX file is one protobuf message. This walks its wire format (protobuf.dev, "Encoding") along the few fields of
onnx.proto that lead to operators and tensors, and skips the rest by length. It does not prove that a graph is valid
(onnxruntime does that when it loads it); it proves that the graph reads no file and uses no operator from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from serving.bundle.errors import BundleError

# "ai.onnx" is the standard's other spelling of the empty domain.
ALLOWED_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
# Graphs nest inside the attributes of If, Loop and Scan; each level costs four messages.
MAX_DEPTH = 100

# Message -> field number -> message it holds. From onnx.proto, where these numbers may never change.
_CHILDREN = {
    "Model": {7: "Graph", 20: "TrainingInfo", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "TrainingInfo": {1: "Graph", 2: "Graph"},
    "Tensor": {},
}
_NODE_DOMAIN = 7
_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION = 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Runs of an attribute's `floats` (field 7) and `ints` (field 8), which onnx.proto does not pack: of a tree ensemble
# there are millions, and a field at a time they would take longer than all else until the endpoint is ready. In no
# other message do these keys stand for anything that is looked at here. Possessive, so that no state is kept of them.
_NUMBERS = re.compile(rb"(?:\x3d[\x00-\xff]{4})++|(?:\x40[\x80-\xff]{0,9}[\x00-\x7f])++")
_NUMBER_KEYS = frozenset({0x3D, 0x40})


class _NotProtobufError(ValueError):
    """The bytes break protobuf's wire format."""


def check_graph(path: Path, model: bytes) -> None:
    """Refuse a graph that reads other files or needs operators that onnxruntime does not bring by itself.

    Args:
        path: Where the model was read; for messages only.
        model: The file's bytes.

    Raises:
        BundleError: The bytes are not protobuf, nest deeper than `MAX_DEPTH`, keep tensors in external files, or use
            an operator of a domain outside `ALLOWED_DOMAINS`.
    """
    stack = [("Model", 0, len(model), 0)]
    while stack:
        message, start, end, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise BundleError.at(path, f"the graph nests deeper than {MAX_DEPTH} messages")
        children = _CHILDREN[message]
        try:
            for number, wire, first, last in _fields(model, start, end):
                if wire == _BYTES and number in children:
                    stack.append((children[number], first, last, depth + 1))
                elif message == "Node" and number == _NODE_DOMAIN and wire == _BYTES:
                    _check_domain(path, model[first:last])
                elif message == "Tensor":
                    _check_inside(path, model, number, first)
        except _NotProtobufError as error:
            raise BundleError.at(path, f"not an ONNX file: {error}") from error


def _check_domain(path: Path, domain: bytes) -> None:
    name = domain.decode(errors="replace")
    if name not in ALLOWED_DOMAINS:
        raise BundleError.at(
            path,
            f"an operator of domain {name!r:.120}; expected only '' and 'ai.onnx.ml'",
            do="export with standard operators and inline the functions",
        )


def _check_inside(path: Path, model: bytes, number: int, first: int) -> None:
    external = number == _TENSOR_EXTERNAL_DATA or (number == _TENSOR_DATA_LOCATION and model[first] != 0)
    if external:
        raise BundleError.at(
            path, "a tensor keeps its data in another file", do="export with the tensors inside the model"
        )


def _fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (field number, wire type, first byte of the value, byte after it) of one message."""
    at = start
    while at < end:
        if data[at] in _NUMBER_KEYS and (run := _NUMBERS.match(data, at, end)) is not None:
            at = run.end()
            continue
        key, first = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if wire == _BYTES:
            length, first = _varint(data, first, end)
            at = first + length
        elif wire == _VARINT:
            _, at = _varint(data, first, end)
        elif wire in {_FIXED32, _FIXED64}:
            at = first + (4 if wire == _FIXED32 else 8)
        else:
            raise _NotProtobufError(f"wire type {wire} at byte {at}")
        if at > end:
            raise _NotProtobufError(f"a field ends past byte {end}, where its message ends")
        yield number, wire, first, at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _NotProtobufError(f"a number does not end by byte {at}")

"""From the bytes of a request to its JSON object, large tensors of numbers straight into an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import simdjson

from serving.errors import BadRequestError
from serving.protocol.words import kind
from serving.records.datatypes import FLOATS, INTEGERS, WIRE_DTYPES, Tensor

# Below this, and where text makes up much of it, Python's objects are as fast as arrays.
_LARGE_BYTES = 4096
_BYTES_PER_QUOTE = 64
# What simdjson raises: no JSON, no such type, an integer beyond 64 bits.
_REFUSALS = (ValueError, TypeError, RuntimeError)


def parse_document(body: bytes | memoryview) -> dict[str, Any]:
    """Parse a request's JSON object.

    Returns:
        It; `data` of an input is a tensor [elements] of the wire's dtype instead of a list where that is faster, and
        holds exactly the numbers that the list would.

    Raises:
        BadRequestError: It is no JSON, or no object.
    """
    if not body:
        raise BadRequestError("the body is empty: expected an inference request as JSON")
    if len(body) >= _LARGE_BYTES:
        document = _with_tensors(bytes(body))
        if document is not None:
            return document
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"the body is not JSON: {error!s:.200}") from error
    if type(request) is not dict:
        raise BadRequestError(f"expected a JSON object with 'inputs', got {kind(request)}")
    return request


def _with_tensors(body: bytes) -> dict[str, Any] | None:
    """Parse a body that is mostly flat tensors of numbers; None leaves it, and any word about it, to the other parser.

    simdjson writes numbers into a buffer, three times as fast as a list of Python's becomes an array. It flattens
    nested lists, whatever their shape, so a body that has any is not for it.
    """
    if body[:1] != b"{" or body.count(b'"') * _BYTES_PER_QUOTE > len(body):
        return None
    try:
        root = simdjson.Parser().parse(body)
        return _document(root, body.count(b"[")) if isinstance(root, simdjson.Object) else None
    except _REFUSALS:
        return None


def _document(root: simdjson.Object, lists: int) -> dict[str, Any] | None:
    members = _members(root)
    inputs = None if members is None else members.pop("inputs", None)
    if members is None or not isinstance(inputs, simdjson.Array):
        return None
    # One list of inputs, perhaps one of outputs, and of each input its shape and its data: none is nested.
    if lists != 1 + ("outputs" in members) + 2 * len(inputs):
        return None
    entries = [_input(entry) for entry in inputs]
    return None if None in entries else {key: _plain(value) for key, value in members.items()} | {"inputs": entries}


def _members(found: simdjson.Object) -> dict[str, Any] | None:
    """Return an object's members, lists and objects among them unread; None if one is given twice."""
    members = {key: found[key] for key in found}
    return members if len(members) == len(found) else None


def _input(entry: Any) -> dict[str, Any] | None:
    members = _members(entry) if isinstance(entry, simdjson.Object) else None
    if members is None:
        return None
    data, datatype = members.pop("data", None), members.get("datatype")
    tensor = _tensor(data, datatype) if isinstance(data, simdjson.Array) else None
    if tensor is None:
        return None
    return {key: _plain(value) for key, value in members.items()} | {"data": tensor}


def _plain(value: Any) -> Any:
    if isinstance(value, simdjson.Array):
        return value.as_list()
    return value.as_dict() if isinstance(value, simdjson.Object) else value


def _tensor(data: simdjson.Array, datatype: Any) -> Tensor | None:
    """Return a list of numbers as the wire's tensor, or None if one of them is no element of it."""
    if datatype in FLOATS:
        with np.errstate(over="ignore"):
            tensor = np.frombuffer(data.as_buffer(of_type="d")).astype(WIRE_DTYPES[datatype])
        return tensor if np.isfinite(tensor).all() else None
    if datatype in INTEGERS:
        whole = np.frombuffer(data.as_buffer(of_type="i"), dtype=np.int64)
        tensor = whole.astype(WIRE_DTYPES[datatype])
        return tensor if (tensor == whole).all() and not (datatype == "UINT64" and (whole < 0).any()) else None
    return None

"""The binary tensor data extension: tensors behind the JSON, little-endian, BYTES as length and bytes.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import struct
from typing import Any, cast

import numpy as np

from serving.bundle.manifest import Datatype
from serving.errors import BadRequestError
from serving.records.datatypes import WIRE_DTYPES, Tensor

_LENGTH = struct.Struct("<I")
_LENGTH_BYTES = 4
_DIGITS = 18


def header_length(value: bytes) -> int:
    """Read the header `Inference-Header-Content-Length`: how many bytes of the body are JSON.

    Raises:
        BadRequestError: It is no such number.
    """
    if not value.isdigit() or len(value) > _DIGITS:
        raise BadRequestError(
            f"inference-header-content-length: expected a number of bytes, got {value.decode('latin-1'):.40}"
        )
    return int(value)


def split(body: bytes, json_length: int) -> tuple[memoryview, memoryview]:
    """Return the JSON at the head of a body, and the binary tensors behind it.

    Raises:
        BadRequestError: The body is shorter than its JSON is said to be.
    """
    if json_length > len(body):
        raise BadRequestError(
            f"inference-header-content-length: expected at most the body's {len(body)} bytes, got {json_length}"
        )
    view = memoryview(body)
    return view[:json_length], view[json_length:]


def decode(name: str, datatype: str, count: int, blob: memoryview) -> Tensor | list[str]:
    """Read one binary tensor, after a look at its size; nothing is built before that.

    Args:
        name: The input's, for messages.
        datatype: One of the protocol's.
        count: How many elements its shape has.
        blob: Its bytes.

    Returns:
        A tensor [count] of the wire's dtype, or `count` texts of BYTES.

    Raises:
        BadRequestError: The bytes are more or fewer than the elements need, a BOOL is neither 0 nor 1, or a text is not
            UTF-8.
    """
    if datatype == "BYTES":
        return _texts(name, count, blob)
    dtype = WIRE_DTYPES[cast("Datatype", datatype)]
    if len(blob) != count * dtype.itemsize:
        raise BadRequestError(
            f"input {name!r}: {count} elements of {datatype} are {count * dtype.itemsize} bytes, got {len(blob)}"
        )
    if datatype == "BOOL":
        levels = np.frombuffer(blob, dtype=np.uint8)
        if levels.max() > 1:
            raise BadRequestError(f"input {name!r}: expected each BOOL to be a byte of 0 or 1, got {levels.max()}")
        return levels.view(np.bool_)
    tensor = np.frombuffer(blob, dtype=dtype)
    # What stands before it in the body may have any length; onnxruntime wants its elements aligned.
    return tensor if tensor.flags.aligned else tensor.copy()


def encode(datatype: str, tensor: np.ndarray[Any, np.dtype[Any]]) -> bytes:
    """Return a tensor's bytes in row-major order.

    Args:
        datatype: One of the protocol's.
        tensor: Any shape; text as an object array of str.
    """
    if datatype == "BYTES":
        return text_bytes(tensor.ravel().tolist())
    return tensor.astype(WIRE_DTYPES[cast("Datatype", datatype)], copy=False).tobytes()


def text_bytes(texts: list[Any]) -> bytes:
    """Return texts one after the other, each with its length before it."""
    parts: list[bytes] = []
    for text in texts:
        content = text.encode()
        parts += (_LENGTH.pack(len(content)), content)
    return b"".join(parts)


def _texts(name: str, count: int, blob: memoryview) -> list[str]:
    if len(blob) < count * _LENGTH_BYTES:
        raise BadRequestError(
            f"input {name!r}: {count} elements of BYTES are at least {count * _LENGTH_BYTES} bytes, got {len(blob)}"
        )
    content, size, start = bytes(blob), len(blob), 0
    texts = _even_texts(content, count)
    if texts is not None:
        return texts
    texts = []
    for element in range(count):
        end = start + _LENGTH_BYTES
        stop = end + _LENGTH.unpack_from(content, start)[0] if end <= size else end
        if stop > size:
            raise BadRequestError(f"input {name!r}: the tensor ends within element {element} of {count}")
        try:
            texts.append(content[end:stop].decode())
        except UnicodeDecodeError as error:
            raise BadRequestError(f"input {name!r}: element {element} is not UTF-8") from error
        start = stop
    if start != size:
        raise BadRequestError(f"input {name!r}: {size - start} bytes are left over behind its {count} elements")
    return texts


def _even_texts(content: bytes, count: int) -> list[str] | None:
    """Read ASCII texts that all have one length, as codes and moments do, several times as fast; None for others."""
    before = content[:_LENGTH_BYTES]
    if not content.isascii():
        return None
    # Each text stands behind the same four bytes, unless one holds them itself: then the numbers do not come out.
    texts = content.decode("ascii").split(before.decode("ascii"))[1:]
    length = _LENGTH.unpack(before)[0]
    return texts if len(texts) == count and {length}.issuperset(map(len, texts)) else None

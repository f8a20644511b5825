"""The protocol's datatypes, the graph's tensor types, and how numpy holds each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from serving.bundle.manifest import Datatype, TensorType

# A tensor of shape [rows, ...]; text is an object array of str.
Tensor = np.ndarray[tuple[int, ...], np.dtype[Any]]

# Of tensors inside the graph.
DTYPES: Mapping[TensorType, Any] = {
    "string": np.object_,
    "float16": np.float16,
    "float32": np.float32,
    "float64": np.float64,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "bool": np.bool_,
}
# Of tensors on the wire, which is little-endian; BYTES has elements of any length.
WIRE_DTYPES: Mapping[Datatype, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
INTEGERS: tuple[Datatype, ...] = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
FLOATS: tuple[Datatype, ...] = ("FP16", "FP32", "FP64")

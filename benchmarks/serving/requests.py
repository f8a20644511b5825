"""The bodies that the load generator sends, in the words of each server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np

from benchmarks.serving.model import FEATURES

# KServe's SDK answers 500 to requests without one.
_ID = "7"


@dataclass(frozen=True)
class Sent:
    """One request, sent again and again."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def features(rows: int) -> np.ndarray:
    """Return float32 [rows, 20] of ordinary numbers."""
    return np.random.default_rng(rows).normal(size=(rows, FEATURES)).astype("f4").round(4)


def plain(rows: int, path: str) -> Sent:
    """Return rows as a list of lists, as a server without a protocol takes them."""
    return Sent(path, json.dumps({"inputs": _numbers(rows)}).encode())


def protocol_json(rows: int, path: str) -> Sent:
    """Return an Open Inference Protocol request in JSON."""
    flat = [value for row in _numbers(rows) for value in row]
    entry = {"name": "features", "datatype": "FP32", "shape": [rows, FEATURES], "data": flat}
    return Sent(path, json.dumps({"id": _ID, "inputs": [entry]}).encode())


def protocol_binary(rows: int, path: str) -> Sent:
    """Return an Open Inference Protocol request whose tensors, and those of the answer, are binary."""
    blob = features(rows).tobytes()
    entry = {
        "name": "features",
        "datatype": "FP32",
        "shape": [rows, FEATURES],
        "parameters": {"binary_data_size": len(blob)},
    }
    head = json.dumps({"id": _ID, "inputs": [entry], "parameters": {"binary_data_output": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return Sent(path, head + blob, headers)


def _numbers(rows: int) -> list[list[float]]:
    return [[round(float(value), 4) for value in row] for row in features(rows)]

"""Write predictions as Open Inference Protocol answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from serving.bundle.manifest import OutputSpec
from serving.records.request import InferRequest

Outputs = dict[str, np.ndarray[Any, np.dtype[Any]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model version predicted for one request.

    Attributes:
        outputs: By name, each [rows, ...]; at least those that the request asked for.
        specs: Of every output of the model.
    """

    model: str
    version: str
    outputs: Outputs
    specs: Mapping[str, OutputSpec]


def encode(request: InferRequest, answer: Answer) -> bytes:
    """Return the answer's JSON text; `data` is flat, in row-major order, and a number that is not finite is null."""
    document: dict[str, Any] = {"model_name": answer.model, "model_version": answer.version}
    if request.id is not None:
        document["id"] = request.id
    document["outputs"] = [_output(answer.specs[asked.name], answer.outputs[asked.name]) for asked in request.outputs]
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _output(spec: OutputSpec, tensor: np.ndarray[Any, np.dtype[Any]]) -> dict[str, Any]:
    return {
        "name": spec.name,
        "datatype": spec.datatype,
        "shape": tensor.shape,
        # orjson writes numeric arrays by itself; text is an array of Python objects.
        "data": tensor.ravel().tolist() if spec.datatype == "BYTES" else np.ascontiguousarray(tensor).ravel(),
    }

"""Encode a prediction as an Open Inference Protocol answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from serving.bundle.manifest import OutputSpec


def encode(
    model: str, version: str, request_id: str | None, outputs: Sequence[tuple[OutputSpec, np.ndarray[Any, Any]]]
) -> bytes:
    """Return the answer's JSON text; `data` is flat, in row-major order, and a number that is not finite is null.

    Args:
        model: The model's name.
        version: The version that answered.
        request_id: The request's id; left out of the answer where there was none.
        outputs: Each output with its tensor, in the order to answer.
    """
    answer: dict[str, Any] = {"model_name": model, "model_version": version}
    if request_id is not None:
        answer["id"] = request_id
    answer["outputs"] = [
        {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": tensor.shape,
            # orjson writes numeric arrays by itself; text is an array of Python objects.
            "data": tensor.ravel().tolist() if spec.datatype == "BYTES" else np.ascontiguousarray(tensor).ravel(),
        }
        for spec, tensor in outputs
    ]
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)

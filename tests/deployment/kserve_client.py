"""Asks a running endpoint with KServe's own Python clients and prints what they made of the answers, as JSON.

Run by the environment of `make deployment`: `python kserve_client.py HTTP_URL GRPC_ADDRESS` with the small model of
`tests/serving/bundles.py` behind both.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

_COLUMNS: dict[str, tuple[str, np.ndarray[Any, Any]]] = {
    "carrier": ("BYTES", np.array([b"UA", b"AA"], dtype=np.object_)),
    "distance": ("FP64", np.array([500.0, np.nan])),
    "seats": ("INT64", np.array([150, 90])),
    "engines": ("INT64", np.array([2, 3])),
    "charter": ("BOOL", np.array([False, True])),
    "departs": ("BYTES", np.array([b"2013-05-01T10:00:00Z", b""], dtype=np.object_)),
}


def _request(*, binary: bool) -> InferRequest:
    inputs = []
    for name, (datatype, values) in _COLUMNS.items():
        entry = InferInput(name, [len(values)], datatype)
        entry.set_data_from_numpy(values, binary_data=binary)
        inputs.append(entry)
    return InferRequest("small", inputs, request_id="k-1")


async def _ask(url: str, grpc: str) -> dict[str, Any]:
    rest = InferenceRESTClient(RESTConfig(protocol="v2"))
    said: dict[str, Any] = {
        "live": await rest.is_server_live(url),
        "ready": await rest.is_server_ready(url),
        "model_ready": await rest.is_model_ready(url, "small"),
    }
    answer = await rest.infer(url, _request(binary=True), model_name="small")
    said["rest"] = [answer.id, answer.get_output_by_name("probabilities").as_numpy().tolist()]
    client = InferenceGRPCClient(grpc)
    said["grpc_ready"] = await client.is_model_ready("small")
    answer = await client.infer(_request(binary=True))
    said["grpc"] = [answer.id, answer.get_output_by_name("probabilities").as_numpy().tolist()]
    await rest.close()
    await client.close()
    return said


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_ask(sys.argv[1], sys.argv[2]))))

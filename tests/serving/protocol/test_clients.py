"""Triton's clients for HTTP, unchanged and with their default binary tensors."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton  # type: ignore[import-untyped]
import tritonclient.http.aio as triton_aio  # type: ignore[import-untyped]

from tests.serving.protocol.wire import VALUES, Wire


def arrays() -> dict[str, Any]:
    dtypes = {"BYTES": object, "BOOL": bool} | {
        name: np.dtype(name.lower().replace("fp", "float")) for name in VALUES if name not in {"BYTES", "BOOL"}
    }
    return {name: np.array([VALUES[name]], dtype=dtypes[name]) for name in VALUES}


def inputs(*, binary: bool) -> list[Any]:
    made = []
    for name, array in arrays().items():
        made.append(triton.InferInput(f"in_{name}", [1, 2], name))
        # The client has no FP16 in JSON.
        made[-1].set_data_from_numpy(array, binary_data=binary or name == "FP16")
    return made


def check(result: Any) -> None:
    for name, array in arrays().items():
        got = result.as_numpy(f"out_{name}")
        if name == "BYTES":
            got = np.array([[value.decode() if isinstance(value, bytes) else value for value in got[0]]], dtype=object)
        assert got.dtype == array.dtype
        np.testing.assert_array_equal(got, array)


@pytest.mark.parametrize("binary", [True, False])
def test_every_datatype_there_and_back(wire: Wire, binary: bool) -> None:
    with triton.InferenceServerClient(wire.address) as client:
        check(client.infer("echo", inputs(binary=binary)))
        outputs = [triton.InferRequestedOutput(f"out_{name}", binary_data=binary or name == "FP16") for name in VALUES]
        check(client.infer("echo", inputs(binary=binary), outputs=outputs, request_id="7"))


def test_classification(wire: Wire) -> None:
    values = triton.InferInput("in_FP32", [1, 2], "FP32")
    values.set_data_from_numpy(np.array([[0.25, 0.75]], dtype=np.float32))
    with triton.InferenceServerClient(wire.address) as client:
        outputs = [triton.InferRequestedOutput("out_FP32", class_count=2)]
        got = client.infer("scores", [values], outputs=outputs).as_numpy("out_FP32")
        assert got.tolist() == [[b"0.75:1", b"0.25:0"]]


def test_the_asynchronous_client(wire: Wire) -> None:
    async def ask() -> Any:
        async with triton_aio.InferenceServerClient(wire.address) as client:
            assert await client.is_server_live()
            assert await client.is_model_ready("echo")
            return await asyncio.gather(*(client.infer("echo", inputs(binary=True)) for _ in range(8)))

    for result in asyncio.run(ask()):
        check(result)


def test_what_is_wrong_is_said(wire: Wire) -> None:
    values = triton.InferInput("in_FP32", [1, 2], "FP32")
    values.set_data_from_numpy(np.array([[np.nan, 1]], dtype=np.float32))
    with triton.InferenceServerClient(wire.address) as client:
        with pytest.raises(triton.InferenceServerException, match=r"in_FP32.required.*row 0|row 0.*in_FP32.required"):
            client.infer("scores", [values])
        values.set_shared_memory("region", 8)
        with pytest.raises(triton.InferenceServerException, match="shared memory extension"):
            client.infer("scores", [values])

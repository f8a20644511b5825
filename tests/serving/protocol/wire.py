"""Raw HTTP to an endpoint, and requests to the models of `echo`."""

from __future__ import annotations

import http.client
import json
import struct
from typing import Any, NamedTuple

from serving.protocol.binary import text_bytes


class Reply(NamedTuple):
    """What came back; `tail` is what stands behind the JSON."""

    status: int
    headers: dict[str, str]
    json: Any
    tail: bytes


class Wire:
    """Raw HTTP to one endpoint.

    Attributes:
        address: Host and port.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send one request; underscores in the headers' names stand for dashes."""
        connection = http.client.HTTPConnection(self.address, timeout=20)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        got = {name.lower(): value for name, value in response.getheaders()}
        assert int(got["content-length"]) == len(content)
        length = int(got.get("inference-header-content-length", len(content)))
        return Reply(response.status, got, json.loads(content[:length]), content[length:])

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def infer(self, model: str, content: Any, tail: bytes | None = None) -> Reply:
        """Ask for an inference, with binary tensors if there are any."""
        body = json.dumps(content).encode()
        path = f"/v2/models/{model}/infer"
        if tail is None:
            return self.ask("POST", path, body, Content_Type="application/json")
        return self.ask("POST", path, body + tail, INFERENCE_header_Content_Length=str(len(body)))


VALUES: dict[str, list[Any]] = {
    "BOOL": [True, False],
    "UINT8": [0, 255],
    "UINT16": [0, 2**16 - 1],
    "UINT32": [0, 2**32 - 1],
    "UINT64": [0, 2**64 - 1],
    "INT8": [-128, 127],
    "INT16": [-(2**15), 2**15 - 1],
    "INT32": [-(2**31), 2**31 - 1],
    "INT64": [-(2**63), 2**63 - 1],
    "FP16": [0.5, -65504.0],
    "FP32": [0.1, 3.4028235e38],
    "FP64": [0.1, -1.7976931348623157e308],
    "BYTES": ["", 'é\n"x'],
}
CODES = dict(zip(VALUES, "?BHIQbhiqefd", strict=False))


def blob(datatype: str) -> bytes:
    values = VALUES[datatype]
    return text_bytes(values) if datatype == "BYTES" else struct.pack(f"<2{CODES[datatype]}", *values)


def entry(datatype: str, /, **changes: Any) -> dict[str, Any]:
    usual = {"name": f"in_{datatype}", "datatype": datatype, "shape": [1, 2], "data": VALUES[datatype]}
    return {key: value for key, value in (usual | changes).items() if value is not None}


def scores(data: Any = (0.1, 0.9), shape: Any = (1, 2), **more: Any) -> dict[str, Any]:
    return {"inputs": [entry("FP32", data=data, shape=shape)]} | more


def asked(name: str, **parameters: Any) -> list[dict[str, Any]]:
    return [{"name": name, "parameters": parameters}]


PAIR = {"inputs": [entry("UINT32", data=[1, 2, 3, 4], shape=[2, 2]), entry("BOOL", data=[True] * 4, shape=[2, 2])]}

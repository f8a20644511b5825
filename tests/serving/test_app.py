"""The protocol, against real server processes: the endpoint's own, and the same application under uvicorn."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import tritonclient.http as triton  # type: ignore[import-untyped]

from serving.config import ServeConfig
from serving.service.service import Service
from serving.transports.asgi import App, application
from tests.serving.bundles import INPUTS, Endpoint, promote, request, serving

INFER = "/v2/models/small/infer"


@pytest.fixture(scope="module", params=["serving", "tests.serving.uvicorn_process"])
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("any")
    promote(folder / "models")
    with serving(folder / "models", folder / "log", module=request.param) as running:
        yield running


@pytest.fixture
def client(endpoint: Endpoint) -> Any:
    with httpx.Client(base_url=endpoint.url, timeout=20) as client:
        yield client


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_server_metadata(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "name": "headrace",
        "version": "0.1.0",
        "extensions": ["binary_tensor_data", "classification"],
    }


def test_health(client: httpx.Client) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}
    for path in ("/v2/models/small/ready", "/v2/models/small/versions/1/ready"):
        assert client.get(path).json() == {"name": "small", "ready": True}


@pytest.mark.parametrize("path", ["/v2/models/small", "/v2/models/small/versions/1"])
def test_model_metadata(client: httpx.Client, path: str) -> None:
    answer = client.get(path).json()
    assert answer["name"] == "small"
    assert answer["versions"] == ["1"]
    assert answer["platform"] == "onnx_onnxv1"
    assert answer["inputs"] == [{"name": s.name, "datatype": s.datatype, "shape": [-1]} for s in INPUTS]
    assert answer["outputs"][1] == {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]}


@pytest.mark.parametrize("path", [INFER, "/v2/models/small/versions/1/infer"])
def test_infer(client: httpx.Client, path: str) -> None:
    columns = request(2, carrier=["UA", None], distance=[500, None], departs=[None, None])
    answer = client.post(path, json=columns | {"id": "r-1", "parameters": {"any": "thing"}})
    assert answer.status_code == 200
    got = answer.json()
    outputs = got.pop("outputs")
    assert got == {"model_name": "small", "model_version": "1", "id": "r-1"}
    assert outputs[0] == {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["late", "late"]}
    assert (outputs[1]["datatype"], outputs[1]["shape"]) == ("FP32", [2, 2])
    sigmoid = [1 / (1 + math.exp(-score)) for score in (1.5, 0.5)]
    np.testing.assert_allclose(outputs[1]["data"], [1 - sigmoid[0], sigmoid[0], 1 - sigmoid[1], sigmoid[1]], rtol=1e-6)


def test_integers_are_exact_beyond_float64(client: httpx.Client) -> None:
    columns = request(2, carrier=["AA", "AA"], distance=[0, 0], seats=[2**53 + 1, 2**53 + 2])
    assert client.post(INFER, json=columns).json()["outputs"][0]["data"] == ["on time", "late"]


def test_selected_outputs_and_no_id(client: httpx.Client) -> None:
    got = client.post(INFER, json=request() | {"outputs": [{"name": "probabilities"}]}).json()
    assert [output["name"] for output in got["outputs"]] == ["probabilities"]
    assert "id" not in got


def test_curl_needs_no_content_type(client: httpx.Client) -> None:
    body = json.dumps(request())
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post(INFER, content=body, headers=headers).status_code == 200


def test_a_chunked_body_is_read(client: httpx.Client) -> None:
    body = json.dumps(request()).encode()
    assert client.post(INFER, content=iter([body[:50], body[50:]])).status_code == 200


def test_a_large_batch_is_answered(client: httpx.Client) -> None:
    got = client.post(INFER, json=request(16_384)).json()
    assert got["outputs"][0]["shape"] == [16_384]
    answer = client.post(INFER, json=request(16_385))
    assert answer.status_code == 400
    assert "at most 16384 rows" in answer.json()["error"]


def test_a_broken_contract_is_answered_with_column_rule_row_and_value(client: httpx.Client) -> None:
    answer = client.post(INFER, json=request(3, carrier=["UA", "ZZ", None]))
    assert answer.status_code == 400
    got = answer.json()
    assert got["violations"] == [
        {"column": "carrier", "rule": "carrier.enum", "row": 1, "expected": "one of 'AA', 'B6', 'UA'", "got": "ZZ"}
    ]
    assert "carrier.enum" in got["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "part"),
    [
        ("GET", "/nothing", 404, "no such path"),
        ("GET", "/v2/models", 404, "no such path"),
        ("GET", "/v2/models/", 404, "no such path"),
        ("GET", "/v2/models/small/", 404, "no such path"),
        ("GET", "/v2/models/small/versions", 404, "no such path"),
        ("GET", "/v2/models/small/versions/1/2", 404, "no such path"),
        ("GET", "/v2/models/other", 404, "served models: small (version 1)"),
        ("GET", "/v2/models/..%2f..%2fetc", 404, "no such path"),
        ("GET", "/v2/models/%00", 404, "not served"),
        ("GET", "/v2/models/%ff", 404, "not served"),
        ("GET", "/v2/models/" + "x" * 5000, 404, "not served"),
        ("GET", "/v2/models/small/versions/2", 404, "small (version 1)"),
        ("GET", "/v2/models/other/ready", 404, "not served"),
        ("POST", "/v2/models/other/infer", 404, "not served"),
        ("POST", "/v2/models/small/versions/2/infer", 404, "version '2'"),
        ("GET", INFER, 405, "POST"),
        ("POST", "/v2", 405, "GET"),
        ("DELETE", "/v2/models/small", 405, "GET"),
        ("POST", INFER, 400, "empty"),
    ],
)
def test_wrong_paths_and_methods(client: httpx.Client, method: str, path: str, status: int, part: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert part in answer.json()["error"]
    assert ("allow" in answer.headers) == (status == 405)


def test_head_answers_like_get(client: httpx.Client) -> None:
    answer = client.head("/v2/health/live")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_body_over_the_limit_is_refused(client: httpx.Client) -> None:
    body = b" " * (16 * 1024 * 1024 + 1)
    for content in (body, iter([body[: 1 << 23], body[1 << 23 :]])):
        answer = client.post(INFER, content=content)
        assert answer.status_code == 413
        assert "16777216 bytes" in answer.json()["error"]
    assert client.get("/v2/health/live").status_code == 200


def test_compressed_bodies_are_refused(client: httpx.Client) -> None:
    packed = gzip.compress(json.dumps(request()).encode())
    answer = client.post(INFER, content=packed, headers={"content-encoding": "gzip"})
    assert answer.status_code == 415
    assert "uncompressed" in answer.json()["error"]


def test_a_client_that_goes_away_hurts_nobody(endpoint: Endpoint, client: httpx.Client) -> None:
    address = urlsplit(endpoint.url)
    for head in (b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(f"POST {INFER} HTTP/1.1\r\nHost: x\r\n".encode() + head)
    assert client.get("/v2/health/ready").status_code == 200
    assert "Traceback" not in endpoint.log.read_text()


def triton_inputs(*, binary: bool) -> list[triton.InferInput]:
    values = {
        "carrier": np.array(["UA", "AA"], dtype=object),
        "distance": np.array([500.0, 100.0]),
        "seats": np.array([150, 2**53]),
        "engines": np.array([2, 2]),
        "charter": np.array([False, True]),
        "departs": np.array(["2013-05-01T10:00:00Z"] * 2, dtype=object),
    }
    inputs = []
    for spec in INPUTS:
        tensor = triton.InferInput(spec.name, [2], spec.datatype)
        tensor.set_data_from_numpy(values[spec.name], binary_data=binary)
        inputs.append(tensor)
    return inputs


def test_tritonclient_works_unchanged(endpoint: Endpoint) -> None:
    client = triton.InferenceServerClient(urlsplit(endpoint.url).netloc)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("small")
    assert client.is_model_ready("small", "1")
    assert not client.is_model_ready("other")
    assert client.get_server_metadata()["name"] == "headrace"
    assert client.get_model_metadata("small")["outputs"][0]["name"] == "label"
    for outputs in (None, [triton.InferRequestedOutput(n, binary_data=False) for n in ("label", "probabilities")]):
        for binary in (False, True):
            result = client.infer("small", triton_inputs(binary=binary), outputs=outputs, request_id="7")
            assert result.get_response()["id"] == "7"
            # The client leaves texts that came in binary as bytes.
            assert result.as_numpy("label").astype(str).tolist() == ["late", "late"]
            assert result.as_numpy("probabilities").shape == (2, 2)
            assert result.as_numpy("probabilities").dtype == np.float32
    client.close()


def test_many_clients_get_their_own_answers(endpoint: Endpoint) -> None:
    async def ask(client: httpx.AsyncClient, number: int) -> tuple[str, float]:
        content = request(1, carrier=["B6"], distance=[number], departs=[None]) | {"id": str(number)}
        got = (await client.post(INFER, json=content)).json()
        return got["id"], got["outputs"][1]["data"][1]

    async def ask_all() -> list[tuple[str, float]]:
        async with httpx.AsyncClient(base_url=endpoint.url, timeout=20) as client:
            return list(await asyncio.gather(*(ask(client, number) for number in range(100))))

    for number, (identity, late) in enumerate(asyncio.run(ask_all())):
        assert identity == str(number)
        assert late == pytest.approx(1 / (1 + math.exp(-number / 1000)), rel=1e-5)


def test_any_asgi_server_finds_the_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    monkeypatch.delenv("HEADRACE_SERVE_CONFIG", raising=False)
    assert application().service.config.store == tmp_path / "models"
    (tmp_path / "serve.yaml").write_text("store: other\nlimits: {max_batch: 7}\n")
    monkeypatch.setenv("HEADRACE_SERVE_CONFIG", str(tmp_path / "serve.yaml"))
    config = application().service.config
    assert (config.store, config.max_batch) == (tmp_path / "other", 7)


def test_only_http_is_spoken(tmp_path: Any) -> None:
    app = App(Service(ServeConfig(store=tmp_path)))

    async def never() -> Any:
        raise AssertionError

    async def drop(_: Any) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(app({"type": "websocket"}, never, drop))

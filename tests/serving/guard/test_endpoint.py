"""The guard of the real endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
import tritonclient.grpc as triton_grpc  # type: ignore[import-untyped]
import tritonclient.http as triton  # type: ignore[import-untyped]
from tritonclient.utils import InferenceServerException  # type: ignore[import-untyped]

from serving.guard.key_file import add_key, revoke_key
from tests.serving.bundles import Endpoint, promote, request, serving

INFER = "/v2/models/small/infer"


@dataclass(frozen=True)
class Guarded:
    """An endpoint with two models, whose key file has one key for one of them."""

    endpoint: Endpoint
    keys: Path
    key: str

    def status(self, key: str | None, path: str = INFER) -> int:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        if path == INFER:
            return httpx.post(self.endpoint.url + path, json=request(), headers=headers).status_code
        return httpx.get(self.endpoint.url + path, headers=headers).status_code


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    for name in ("small", "hidden"):
        promote(folder / "models", name=name)
    keys = folder / "keys.json"
    key = add_key(keys, "mobile", ["small"], ["predict", "describe"])
    settings = ("--keys", str(keys), "--set", "keys.poll_seconds=0.01", "--set", "grpc.port=0")
    with serving(folder / "models", folder / "log", *settings) as endpoint:
        yield Guarded(endpoint, keys, key)


def test_keys_over_http(guarded: Guarded) -> None:
    assert guarded.status(None, "/v2/health/ready") == 200
    refused = httpx.post(guarded.endpoint.url + INFER, json=request())
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="headrace"')
    assert guarded.status(guarded.key) == 200
    paths = [f"/v2/models/{name}" for name in ("small", "hidden", "absent")]
    assert [guarded.status(guarded.key, path) for path in paths] == [200, 403, 403]
    document = httpx.get(guarded.endpoint.url + "/openapi.json", headers={"x-api-key": guarded.key}).text
    assert "small" in document
    assert "hidden" not in document
    # Readiness needs no key, and so must not say which models there are.
    absent = httpx.get(guarded.endpoint.url + "/v2/models/absent/ready")
    assert (absent.status_code, "hidden" in absent.text) == (404, False)
    assert guarded.status(None, "/v2/models/hidden/ready") == 200


def test_keys_with_the_public_clients(guarded: Guarded) -> None:
    client = triton.InferenceServerClient(guarded.endpoint.url.removeprefix("http://"))
    metadata = client.get_model_metadata("small", headers={"Authorization": f"Bearer {guarded.key}"})
    assert metadata["name"] == "small"
    with triton_grpc.InferenceServerClient(guarded.endpoint.grpc) as channel:
        headers = {"x-api-key": guarded.key}
        assert channel.is_server_live()
        assert channel.get_model_metadata("small", headers=headers).name == "small"
        with pytest.raises(InferenceServerException) as denied:
            channel.get_model_metadata("small")
        assert denied.value.status() == str(grpc.StatusCode.UNAUTHENTICATED)
        with pytest.raises(InferenceServerException) as denied:
            channel.get_model_metadata("hidden", headers=headers)
        assert denied.value.status() == str(grpc.StatusCode.PERMISSION_DENIED)


def test_rotation_and_nothing_secret_in_the_log(guarded: Guarded) -> None:
    second = add_key(guarded.keys, "mobile-2", ["*"], ["predict"])
    revoke_key(guarded.keys, "mobile")
    time.sleep(0.02)
    assert [guarded.status(guarded.key), guarded.status(second)] == [401, 200]
    log = guarded.endpoint.log.read_text()
    assert "API keys: mobile-2" in log
    assert guarded.key not in log
    assert second not in log

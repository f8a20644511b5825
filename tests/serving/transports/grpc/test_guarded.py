"""gRPC with keys, TLS and limits, calls that are given up, and the way down: the real server process."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnx.parser
import pytest
from tritonclient.grpc import service_pb2 as messages

from serving.bundle.manifest import InputSpec, OutputSpec
from serving.bundle.store import ModelStore
from serving.guard.key_file import add_key
from serving.transports.grpc.peers import address_of
from tests.serving.bundles import Endpoint, promote, serving, write_bundle
from tests.serving.transports.grpc.test_grpc import typed
from tests.serving.transports.test_tls import write_certificate

INFER = "/inference.GRPCInferenceService/ModelInfer"
LIVE = "/inference.GRPCInferenceService/ServerLive"
METADATA = "/inference.GRPCInferenceService/ModelMetadata"
GOOD = typed().SerializeToString()
HALVES = """
<ir_version: 10, opset_import: ["": 18]>
halves (float[n, 1] x) => (float16[n, 1] half, float[n, 1] same)
{
    half = Cast <to = 10> (x)
    same = Identity(x)
}
"""


def code(channel: Any, method: str, content: bytes, **metadata: str) -> str:
    """Return how a call ends."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
    try:
        channel.unary_unary(method)(content, timeout=20, metadata=pairs)
    except grpc.RpcError as error:
        ended: Any = error
        return str(ended.code().name)
    return "OK"


def in_flight(endpoint: Endpoint) -> float:
    """Return what `/metrics` says."""
    with urllib.request.urlopen(f"{endpoint.url}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("headrace_in_flight ")))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guarded") / "models"
    promote(folder)
    return folder


@pytest.fixture(scope="module")
def plain(root: Path) -> Iterator[Endpoint]:
    store = ModelStore(root)
    tensor = {"logical_type": "tensor", "nullable": False, "shape": (1,)}
    inputs = (InputSpec(name="x", datatype="FP32", tensor="float32", **tensor),)
    outputs = (
        OutputSpec(name="half", datatype="FP16", shape=(-1, 1)),
        OutputSpec(name="same", datatype="FP32", shape=(-1, 1)),
    )
    changes: dict[str, Any] = {"model": "halves", "problem": "regression", "classes": ()}
    graph = onnx.parser.parse_model(HALVES)
    stored = store.register(
        "halves", lambda folder: write_bundle(folder, graph, inputs=inputs, outputs=outputs, **changes)
    )
    store.set_champion("halves", stored.version)
    limits = ("--set", "limits.max_body_bytes=4000")
    with serving(root, root.parent / "plain.log", "--set", "grpc.port=0", *limits) as endpoint:
        yield endpoint
    assert "Traceback" not in endpoint.log.read_text()


def test_keys_and_tls_are_those_of_http(root: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    all_models = add_key(keys, "all", ["*"], ["predict", "describe"])
    only_small = add_key(keys, "small", ["small"], ["predict"])
    only_other = add_key(keys, "other", ["other"], ["predict", "describe"])
    tls = write_certificate(tmp_path, serial=7)
    more = ["--set", "grpc.port=0", "--keys", str(keys)]
    more += ["--set", f"tls.certificate={tls.certificate}", "--set", f"tls.key={tls.key}"]
    asked = messages.ModelMetadataRequest(name="small").SerializeToString()
    escaped = typed(model_version="1/../../other").SerializeToString()
    with serving(root, tmp_path / "log", *more) as endpoint:
        trusted = grpc.ssl_channel_credentials(tls.certificate.read_bytes())
        with grpc.secure_channel(endpoint.grpc, trusted) as channel:
            assert code(channel, LIVE, b"") == "OK"
            assert code(channel, INFER, GOOD) == "UNAUTHENTICATED"
            assert code(channel, INFER, GOOD, x_api_key=all_models[:-1]) == "UNAUTHENTICATED"
            assert code(channel, INFER, GOOD, x_api_key=only_other) == "PERMISSION_DENIED"
            assert code(channel, INFER, escaped, x_api_key=only_other) == "NOT_FOUND"
            assert code(channel, INFER, GOOD, x_api_key=only_small) == "OK"
            assert code(channel, METADATA, asked, x_api_key=only_small) == "PERMISSION_DENIED"
            assert code(channel, INFER, GOOD, authorization=f"Bearer {all_models}") == "OK"
        with grpc.insecure_channel(endpoint.grpc) as channel:
            assert code(channel, LIVE, b"") == "UNAVAILABLE"
        # The other way round: gRPC's first bytes at the port of HTTP.
        with grpc.insecure_channel(endpoint.url.removeprefix("https://")) as channel:
            assert code(channel, LIVE, b"") == "UNAVAILABLE"
        context = ssl.create_default_context(cafile=tls.certificate)
        with urllib.request.urlopen(f"{endpoint.url}/v2/health/live", context=context, timeout=20) as answer:
            assert json.load(answer) == {"live": True}
    assert "Traceback" not in endpoint.log.read_text()


def test_a_message_over_the_limit_is_refused(plain: Endpoint) -> None:
    with grpc.insecure_channel(plain.grpc) as channel:
        assert code(channel, INFER, GOOD + bytes(5000)) == "RESOURCE_EXHAUSTED"
        assert code(channel, INFER, GOOD) == "OK"


def test_calls_that_are_given_up_are_counted_no_longer(plain: Endpoint) -> None:
    async def give_up() -> list[BaseException | bytes]:
        async with grpc.aio.insecure_channel(plain.grpc) as channel:
            calls: list[Any] = [
                channel.unary_unary(INFER)(GOOD, timeout=0.0005 * (number % 20)) for number in range(100)
            ]
            for call in calls[::3]:
                call.cancel()
            return list(await asyncio.gather(*calls, return_exceptions=True))

    ended = [type(one) for one in asyncio.run(give_up())]
    assert len(ended) - ended.count(bytes) > 33
    deadline = time.monotonic() + 10
    while in_flight(plain) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert in_flight(plain) == 0


def test_an_output_without_a_typed_form_is_answered_raw(plain: Endpoint) -> None:
    request = messages.ModelInferRequest(model_name="halves")
    request.inputs.add(name="x", datatype="FP32", shape=[2, 1]).contents.fp32_contents.extend([0.5, -2.0])
    with grpc.insecure_channel(plain.grpc) as channel:
        content: bytes = channel.unary_unary(INFER)(request.SerializeToString(), timeout=20)
    answer = messages.ModelInferResponse.FromString(content)
    half, same = answer.raw_output_contents
    assert np.frombuffer(half, "<f2").tolist() == np.frombuffer(same, "<f4").tolist() == [0.5, -2.0]
    assert [each.datatype for each in answer.outputs] == ["FP16", "FP32"]


def test_what_was_begun_is_answered_on_the_way_down(root: Path, tmp_path: Path) -> None:
    async def call_and_stop(endpoint: Endpoint) -> list[str]:
        async with grpc.aio.insecure_channel(endpoint.grpc) as channel:
            await channel.channel_ready()
            calls: list[Any] = [channel.unary_unary(INFER)(GOOD, timeout=20) for _ in range(300)]
            await calls[0]
            endpoint.process.send_signal(signal.SIGTERM)
            ended = await asyncio.gather(*calls, return_exceptions=True)
            return ["OK" if isinstance(one, bytes) else one.code().name for one in ended]  # type: ignore[union-attr]

    with serving(root, tmp_path / "log", "--set", "grpc.port=0") as endpoint:
        ended = asyncio.run(call_and_stop(endpoint))
        assert endpoint.process.wait(20) == 0
    # What came after the door was closed may be asked of another endpoint.
    assert ended.count("OK") + ended.count("UNAVAILABLE") == 300
    assert ended.count("OK") > 1
    assert "Traceback" not in endpoint.log.read_text()


@pytest.mark.parametrize(
    ("peer", "address"),
    [("ipv4:10.0.0.1:50000", "10.0.0.1"), ("ipv6:%5B2001:db8::1%5D:50000", "2001:db8::1"), ("unix:", "")],
)
def test_a_peer_counts_as_its_address(peer: str, address: str) -> None:
    assert address_of(peer) == address

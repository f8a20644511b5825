"""gRPC against the real server process, by tritonclient and by hand."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton  # type: ignore[import-untyped]
import tritonclient.grpc.aio as triton_aio  # type: ignore[import-untyped]
from tritonclient.grpc import service_pb2 as messages
from tritonclient.utils import InferenceServerException  # type: ignore[import-untyped]

from tests.serving.bundles import INPUTS, Endpoint, promote, serving

ROOT = Path(__file__).parents[4]
COLUMNS: dict[str, np.ndarray[Any, Any]] = {
    "carrier": np.array([b"UA", b"AA"], dtype=np.object_),
    "distance": np.array([500.0, np.nan]),
    "seats": np.array([150, 90]),
    "engines": np.array([2, 3]),
    "charter": np.array([False, True]),
    "departs": np.array([b"2013-05-01T10:00:00Z", b""], dtype=np.object_),
}
DATATYPES = {spec.name: spec.datatype for spec in INPUTS}
# As `tests.serving.bundles.small_model` says: 1 + .5 + .25 for the first, -1 + .5 + 10 for the second.
LATE = (1 / (1 + np.exp(-1.75)), 1 / (1 + np.exp(-9.5)))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("grpc")
    promote(folder / "models")
    with serving(folder / "models", folder / "log", "--set", "grpc.port=0") as running:
        yield running


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[Any]:
    with triton.InferenceServerClient(endpoint.grpc) as client:
        yield client


def inputs() -> list[Any]:
    given = []
    for name, values in COLUMNS.items():
        entry = triton.InferInput(name, list(values.shape), DATATYPES[name])
        entry.set_data_from_numpy(values)
        given.append(entry)
    return given


def typed(**changes: Any) -> Any:
    """Return a request in typed contents; entries of it may be changed before it is sent."""
    fields = {"BYTES": "bytes_contents", "FP64": "fp64_contents", "INT64": "int64_contents", "BOOL": "bool_contents"}
    request = messages.ModelInferRequest(model_name="small", **changes)
    for name, values in COLUMNS.items():
        entry = request.inputs.add(name=name, datatype=DATATYPES[name], shape=[2])
        getattr(entry.contents, fields[DATATYPES[name]]).extend(values.tolist())
    return request


def called(endpoint: Endpoint, method: str, content: bytes) -> bytes:
    with grpc.insecure_channel(endpoint.grpc) as channel:
        answer: bytes = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(content, timeout=20)
        return answer


def refused(endpoint: Endpoint, content: bytes, method: str = "ModelInfer") -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        called(endpoint, method, content)
    error: Any = caught.value
    return error.code(), error.details()


def test_the_server_says_what_it_is(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("small")
    assert client.is_model_ready("small", "1")
    assert not client.is_model_ready("small", "99")
    assert not client.is_model_ready("other")
    said = client.get_server_metadata()
    assert (said.name, said.version) == ("headrace", "0.1.0")
    assert "binary_tensor_data" in said.extensions


def test_metadata_is_that_of_http(client: Any) -> None:
    said = client.get_model_metadata("small")
    assert [(each.name, each.datatype, list(each.shape)) for each in said.inputs] == [
        (spec.name, spec.datatype, [-1]) for spec in INPUTS
    ]
    assert (said.name, list(said.versions), said.platform) == ("small", ["1"], "onnx_onnxv1")
    with pytest.raises(InferenceServerException, match="not served"):
        client.get_model_metadata("other")


def test_raw_tensors_are_answered_raw(client: Any) -> None:
    result = client.infer("small", inputs(), model_version="1", request_id="r-7")
    assert result.get_response().id == "r-7"
    np.testing.assert_allclose(result.as_numpy("probabilities")[:, 1], LATE, rtol=1e-6)
    assert result.as_numpy("label").tolist() == [b"late", b"late"]
    assert len(result.get_response().raw_output_contents) == 2


def test_outputs_are_chosen_and_ranked(client: Any) -> None:
    chosen = client.infer("small", inputs(), outputs=[triton.InferRequestedOutput("probabilities")])
    assert chosen.as_numpy("label") is None
    ranked = client.infer("small", inputs(), outputs=[triton.InferRequestedOutput("probabilities", class_count=1)])
    (first, second) = ranked.as_numpy("probabilities").ravel().tolist()
    assert first.startswith(b"0.85")
    assert second.endswith(b":1:late")


def test_typed_contents_are_answered_typed(endpoint: Endpoint) -> None:
    answer = messages.ModelInferResponse.FromString(called(endpoint, "ModelInfer", typed(id="t").SerializeToString()))
    assert (answer.id, answer.model_name, answer.model_version) == ("t", "small", "1")
    label, probabilities = answer.outputs
    assert list(label.contents.bytes_contents) == [b"late", b"late"]
    assert list(probabilities.shape) == [2, 2]
    np.testing.assert_allclose(list(probabilities.contents.fp32_contents)[1::2], LATE, rtol=1e-6)
    assert not answer.raw_output_contents


def test_many_calls_at_once_get_their_own_answers(endpoint: Endpoint) -> None:
    async def ask() -> list[float]:
        async with triton_aio.InferenceServerClient(endpoint.grpc) as client:
            return list(await asyncio.gather(*(one(client, distance) for distance in range(0, 4000, 100))))

    async def one(client: Any, distance: int) -> float:
        given = inputs()
        given[1].set_data_from_numpy(np.array([float(distance), 0.0]))
        result = await client.infer("small", given)
        return float(result.as_numpy("probabilities")[0, 1])

    expected = [1 / (1 + np.exp(-(1.25 + distance / 1000))) for distance in range(0, 4000, 100)]
    np.testing.assert_allclose(asyncio.run(ask()), expected, rtol=1e-5)


def test_a_value_that_breaks_the_contract_is_named(endpoint: Endpoint) -> None:
    request = typed()
    request.inputs[0].contents.bytes_contents[1] = b"XX"
    code, said = refused(endpoint, request.SerializeToString())
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "column 'carrier', row 1: rule 'carrier.enum'" in said


def broken(change: Any) -> bytes:
    request = typed()
    change(request)
    content: bytes = request.SerializeToString()
    return content


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"\xff\xff\xff", "INVALID_ARGUMENT", "not a ModelInferRequest"),
        (messages.ModelInferRequest().SerializeToString(), "INVALID_ARGUMENT", "model's name is empty"),
        (messages.ModelInferRequest(model_name="../x").SerializeToString(), "NOT_FOUND", "no name holds a '/'"),
        (messages.ModelInferRequest(model_name="other").SerializeToString(), "NOT_FOUND", "is not served"),
        (messages.ModelInferRequest(model_name="small").SerializeToString(), "INVALID_ARGUMENT", "missing"),
        (broken(lambda r: r.inputs.pop()), "INVALID_ARGUMENT", "'departs'"),
        (broken(lambda r: r.raw_input_contents.append(b"")), "INVALID_ARGUMENT", "6 inputs, but 1 entries"),
        (broken(lambda r: r.raw_input_contents.extend([b""] * 6)), "INVALID_ARGUMENT", "got both"),
        (broken(lambda r: r.inputs[2].shape.insert(0, 10**15)), "INVALID_ARGUMENT", "expected shape"),
        (broken(lambda r: r.inputs[2].contents.int64_contents.pop()), "INVALID_ARGUMENT", "list of 2 values"),
        (broken(lambda r: r.inputs[2].contents.fp32_contents.append(1)), "INVALID_ARGUMENT", "'fp32_contents'"),
        (broken(lambda r: setattr(r.inputs[2], "datatype", "INT63")), "INVALID_ARGUMENT", "expected datatype"),
        (broken(lambda r: r.inputs[0].contents.bytes_contents.__setitem__(0, b"\xff")), "INVALID_ARGUMENT", "UTF-8"),
        (broken(lambda r: r.outputs.add(name="labl")), "INVALID_ARGUMENT", "did you mean 'label'"),
        (broken(lambda r: [r.outputs.add(name="label") for _ in "ab"]), "INVALID_ARGUMENT", "asked for twice"),
        (
            broken(
                lambda r: (
                    r.inputs[0].parameters["shared_memory_region"].MergeFrom(messages.InferParameter(string_param="x"))
                )
            ),
            "INVALID_ARGUMENT",
            "shared memory",
        ),
    ],
)
def test_bad_calls_are_the_clients_to_mend(endpoint: Endpoint, content: bytes, code: str, said: str) -> None:
    got, details = refused(endpoint, content)
    assert got.name == code
    assert said in details


def test_a_method_that_does_not_exist_is_unimplemented(endpoint: Endpoint) -> None:
    assert refused(endpoint, b"", "ModelStreamInfer")[0] is grpc.StatusCode.UNIMPLEMENTED


_COMPARE = """
import sys
from google.protobuf import descriptor_pb2, descriptor_pool
if sys.argv[1] == "ours":
    from serving.transports.grpc import inference_pb2 as module
else:
    from tritonclient.grpc import service_pb2 as module
file = descriptor_pb2.FileDescriptorProto()
module.DESCRIPTOR.CopyToProto(file)
def fields(message, at):
    yield from (f"{at}.{f.name}={f.number} {f.type} {f.label} {f.type_name}" for f in message.field)
    for inner in message.nested_type:
        yield from fields(inner, f"{at}.{inner.name}")
for message in file.message_type:
    print("\\n".join(fields(message, message.name)))
for service in file.service:
    print("\\n".join(f"{m.name}({m.input_type}) {m.output_type}" for m in service.method))
"""


def test_our_messages_are_those_of_the_protocol() -> None:
    """Both define package `inference`, so each is looked at in a process of its own."""
    said = {}
    for whose in ("ours", "theirs"):
        command = [sys.executable, "-c", _COMPARE, whose]
        said[whose] = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n"))
    assert len(said["ours"]) > 60
    # Triton's file writes `[deprecated]` methods of its own beside the protocol's.
    assert said["ours"] - said["theirs"] == set()


def test_the_generated_messages_are_those_of_the_file(tmp_path: Path) -> None:
    """`make proto` was run after the last change of the file."""
    file = "serving/transports/grpc/inference.proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run([*command, file], cwd=ROOT, check=True)
    for made in (tmp_path / file).parent.iterdir():
        assert made.read_text() == (ROOT / file).with_name(made.name).read_text()

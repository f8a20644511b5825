"""Requests that are refused leave nothing behind: no cycles, and no long paths in caches."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import onnx.parser
import orjson
import pytest

from serving.bundle.manifest import InputSpec, OutputSpec
from serving.bundle.store import ModelStore
from serving.config import ServeConfig
from serving.models.settings import BatchingConfig
from serving.service.exchange import Exchange, Response
from serving.service.routes import find_route
from serving.service.service import Service
from serving.transports.heads import split_target
from tests.serving.bundles import promote, request, write_bundle
from tests.serving.cycles import left_in_cycles

BROKEN = orjson.dumps(request(carrier=["XX"]))
GOOD = orjson.dumps(request())
NO_INPUTS = b'{"inputs": 5}'
# Bodies beyond 64 KiB are parsed in a thread.
LARGE = b" " * 70_000
FAILING = (
    '<ir_version: 10, opset_import: ["": 18]> g (double[n] x) => (double[n] y) <int64[1] one = {1}> '
    "{ y = Reshape(x, one) }"
)
TWO_ROWS = orjson.dumps({"inputs": [{"name": "x", "datatype": "FP64", "shape": [2], "data": [1.0, 2.0]}]})


async def statuses(root: Path, bodies: tuple[bytes, ...], inline_ms: float) -> list[int]:
    """Ask everything at once, so that it runs together; return the answers' statuses once the service has stopped."""
    service = Service(ServeConfig(store=root, batching=BatchingConfig(inline_ms=inline_ms)))
    await service.start()
    answers: list[Response] = []
    complete = asyncio.Event()

    def take(answer: Response) -> None:
        answers.append(answer)
        if len(answers) == len(bodies):
            complete.set()

    for body in bodies:
        exchange = Exchange("POST", "/v2/models/small/infer", "", (), "", take)
        if service.open(exchange):
            service.answer(exchange, body)
    await complete.wait()
    await service.stop()
    return sorted(answer.status for answer in answers)


@pytest.mark.parametrize("inline_ms", [1000, 0], ids=["on the event loop", "in the thread"])
@pytest.mark.parametrize(
    "bodies",
    [(BROKEN,), (BROKEN, GOOD, BROKEN), (NO_INPUTS + LARGE, BROKEN + LARGE, b"[" + LARGE)],
    ids=["alone", "beside a good one", "large"],
)
def test_a_refused_request_is_freed_at_once(tmp_path: Path, bodies: tuple[bytes, ...], inline_ms: float) -> None:
    promote(tmp_path / "models")
    with left_in_cycles() as left:
        answered = asyncio.run(statuses(tmp_path / "models", bodies, inline_ms))
    assert answered == sorted(200 if body == GOOD else 400 for body in bodies)
    assert left == []


def test_a_request_that_the_graph_fails_on_is_freed_at_once(tmp_path: Path) -> None:
    columns = InputSpec(name="x", datatype="FP64", tensor="float64", logical_type="number", nullable=True)
    shape = OutputSpec(name="y", datatype="FP64", shape=(-1,))
    store = ModelStore(tmp_path)
    graph = onnx.parser.parse_model(FAILING)
    stored = store.register(
        "small", lambda folder: write_bundle(folder, graph, inputs=(columns,), outputs=(shape,), model="small")
    )
    store.set_champion("small", stored.version)
    with left_in_cycles() as left:
        answered = asyncio.run(statuses(tmp_path, (TWO_ROWS, TWO_ROWS), 1000))
    assert answered == [500, 500]
    assert left == []


@pytest.mark.parametrize(
    "look_up",
    [lambda name: split_target(f"/{name}?{name}".encode()), lambda name: find_route(f"/v2/models/{name}/infer")],
    ids=["targets", "routes"],
)
def test_long_paths_are_not_remembered(look_up: Callable[[str], object]) -> None:
    tracemalloc.start()
    try:
        for number in range(200):
            look_up(f"{number:04000}")
        assert tracemalloc.get_traced_memory()[0] < 50_000
    finally:
        tracemalloc.stop()

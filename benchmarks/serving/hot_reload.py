"""Swap versions under full load, and count the answers that failed or that were not of the version they name.

python -m benchmarks.serving.hot_reload --requests 200000
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import orjson
import psutil
import uvloop

from benchmarks.serving.model import FEATURES, NAME, network, write_store
from serving.bundle.store import ModelStore
from serving.bundle.traffic import Share, TrafficPlan

VERSIONS = ("1", "2", "3")
ROWS = 512
TOLERANCE = 1e-5
STEP_SECONDS = 0.1
WARM_UP = 5000
HEAD = f"POST /v2/models/{NAME}/infer HTTP/1.1\r\nhost: benchmark\r\ncontent-type: application/json\r\n"


class Questions:
    """Requests of one row each, and what each version answers."""

    def __init__(self) -> None:
        rows = np.random.default_rng(0).normal(size=(ROWS, FEATURES)).astype("f4").round(4)
        self._data = [orjson.dumps([round(float(value), 4) for value in row]) for row in rows]
        self._answers = {}
        for seed, version in enumerate(VERSIONS):
            session = ort.InferenceSession(network(seed).SerializeToString(), providers=["CPUExecutionProvider"])
            self._answers[version] = session.run(["probabilities"], {"features": rows})[0]

    def ask(self, number: int) -> bytes:
        """Return the request of a number; its id says the number."""
        body = b'{"id":"%d","inputs":[{"name":"features","datatype":"FP32","shape":[1,%d],"data":%b}]}' % (
            number,
            FEATURES,
            self._data[number % ROWS],
        )
        return HEAD.encode() + b"content-length: %d\r\n\r\n%b" % (len(body), body)

    def version(self, number: int, answer: dict[str, Any]) -> str | None:
        """Return the version that gave an answer; None if what it says is not what that version answers."""
        version = answer["model_version"]
        expected = self._answers[version][number % ROWS]
        (got,) = [output["data"] for output in answer["outputs"] if output["name"] == "probabilities"]
        same = answer["id"] == str(number) and np.allclose(got, expected, atol=TOLERANCE)
        return version if same else None


class Seen:
    """What came back."""

    def __init__(self) -> None:
        self.versions: Counter[str] = Counter()
        self.failed: list[bytes] = []
        self.wrong: list[int] = []
        self.seconds: list[float] = []
        self.swaps = 0


class Connection(asyncio.Protocol):
    """Asks one question after the other for as long as there are numbers."""

    def __init__(self, questions: Questions, numbers: Iterator[int], seen: Seen) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._questions, self._numbers, self._seen = questions, numbers, seen
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        """Ask the first question."""
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        """Judge an answer once it is whole, and ask the next question."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        _, _, length = head.lower().partition(b"content-length:")
        if len(body) < int(length.split(b"\r\n", 1)[0]):
            return
        self._seen.seconds.append(time.perf_counter() - self._began)
        self._buffer = b""
        if not head.startswith(b"HTTP/1.1 200"):
            self._seen.failed.append(body)
        elif (version := self._questions.version(self._number, orjson.loads(body))) is None:
            self._seen.wrong.append(self._number)
        else:
            self._seen.versions[version] += 1
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Count a connection that breaks before its last answer as a failed request."""
        if not self.done.done():
            self._seen.failed.append(b"the connection broke")
            self.done.set_result(None)

    def _next(self) -> None:
        number = next(self._numbers, None)
        if number is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._number, self._began = number, time.perf_counter()
        self._transport.write(self._questions.ask(number))


@contextmanager
def endpoint(root: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Run the real endpoint over a store and yield its port and its process."""
    command = [sys.executable, "-m", "serving", "--store", str(root), "--port", "0", "--set", "poll_seconds=0.05"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split()[2].rpartition(":")[2]), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def steps(store: ModelStore) -> Iterator[Any]:
    """Yield changes for ever: the champion back and forth, a canary that grows, a shadow, versions pinned."""
    for turn in count():
        share = Share(version="3", percent=10 + turn % 80)
        yield partial(store.set_champion, NAME, "2")
        yield partial(store.set_traffic, NAME, partial(_beside, share, share, ()))
        yield partial(store.rollback, NAME)
        yield partial(store.set_traffic, NAME, partial(_beside, share, None, ("2",)))
        yield partial(store.clear_traffic, NAME)


def _beside(canary: Share, shadow: Share | None, also: tuple[str, ...], _old: TrafficPlan) -> TrafficPlan:
    return TrafficPlan(canary=canary, shadow=shadow, also=also)


async def measure(store: ModelStore, port: int, requests: int, connections: int) -> Seen:
    """Ask so many questions over so many connections while versions are swapped."""
    seen, questions, numbers = Seen(), Questions(), iter(range(requests))
    loop = asyncio.get_running_loop()

    async def swap() -> None:
        for step in steps(store):
            await asyncio.to_thread(step)
            seen.swaps += 1
            await asyncio.sleep(STEP_SECONDS)

    swapping = asyncio.create_task(swap())
    pairs = [
        await loop.create_connection(partial(Connection, questions, numbers, seen), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in pairs))
    swapping.cancel()
    return seen


def main() -> None:
    """Print what failed, what was wrong, and how long answers took."""
    parser = argparse.ArgumentParser(description="Swap versions under full load.")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for seed in range(len(VERSIONS)):
            write_store(root, network(seed).SerializeToString())
        store = ModelStore(root)
        store.set_champion(NAME, VERSIONS[0])
        with endpoint(root) as (port, process):
            uvloop.run(measure(store, port, WARM_UP, given.connections))
            before, began = process.memory_info().rss, time.perf_counter()
            seen = uvloop.run(measure(store, port, given.requests, given.connections))
            took, after = time.perf_counter() - began, process.memory_info().rss
    p50, p99 = np.percentile(seen.seconds, [50, 99]) * 1000
    print(f"{len(seen.seconds)} requests in {took:.1f} s over {given.connections} connections, {seen.swaps} changes")
    print(f"failed {len(seen.failed)}, wrong {len(seen.wrong)}; p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    print(f"memory before {before / 1e6:.0f} MB, after {after / 1e6:.0f} MB")
    print("by version: " + ", ".join(f"{version} {number}" for version, number in sorted(seen.versions.items())))
    for body in seen.failed[:5]:
        print(body[:300].decode(errors="replace"))


if __name__ == "__main__":
    main()

"""Send malformed requests over both protocols, hundreds at a time, and fail on whatever is no proper refusal.

python -m benchmarks.serving.hostile --requests 200000 --seed 1

Exit code 1 where anything was answered with a 5xx (but a 503 that says when to try again), was not answered, or the
process ended, kept requests counted as under way, answers a good request wrongly afterwards, or took more memory in the
last three tenths of the requests than in the first three.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import grpc
import psutil
import uvloop

from benchmarks.serving.hostile_model import INPUTS, NAME, USUAL, write_columns
from benchmarks.serving.model import network, write_store
from benchmarks.serving.mutations import Mutations

_PATIENCE_SECONDS = 30
_WARM_UP = 10_000
_SHOWN = 5
_PARTS = 10
_SAMPLE_SECONDS = 0.1
# One tenth says little: what is free between the pieces in use comes and goes by some percent.
_COMPARED = 3
_MOST_GROWTH = 0.03
_SERVER_ERROR, _BUSY = 500, 503
# Codes that say that the endpoint failed, not the client.
_FAILURES = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS", "ABORTED"})


class Endpoint(NamedTuple):
    """The running process and where it listens."""

    process: psutil.Process
    port: int
    grpc: str


class Seen:
    """What came back."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[tuple[str, bytes]] = []
        self.slowest = 0.0

    def http(self, status: int, head: bytes, sent: bytes) -> None:
        """Count an answer."""
        self.answers[f"HTTP {status}"] += 1
        stated = status == _BUSY and b"retry-after" in head
        if status >= _SERVER_ERROR and not stated:
            self.failures.append((f"HTTP {status}", sent))

    def grpc(self, code: str, sent: bytes) -> None:
        """Count the end of a call."""
        self.answers[f"gRPC {code}"] += 1
        if code in _FAILURES or code == "DEADLINE_EXCEEDED":
            self.failures.append((f"gRPC {code}", sent))

    def hang(self, what: str, sent: bytes) -> None:
        """Count what was not answered in time, or not at all."""
        self.failures.append((f"{what}: no answer", sent))


class Client:
    """Speaks HTTP over one connection at a time, opened again whenever the endpoint closes it."""

    def __init__(self, port: int, seen: Seen) -> None:
        self._port = port
        self._seen = seen
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def framed(self, data: bytes, *, bodyless: bool) -> None:
        """Send a request that must have one answer."""
        for first in (True, False):
            fresh = self._streams is None
            reader, writer = self._streams or await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
            self._streams = reader, writer
            try:
                writer.write(data)
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._answer(reader, data, bodyless=bodyless)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                # A connection that was used before may have been closed just before this request.
                if fresh or not first:
                    self._seen.hang("HTTP", data)
                    return
            except TimeoutError:
                self._seen.hang("HTTP", data)
                self.close()
                return
            else:
                return

    async def raw(self, data: bytes) -> None:
        """Send anything and then no more; the endpoint must say what it has to say and close."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        try:
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(_PATIENCE_SECONDS):
                said = await reader.read()
            starts = said.split(b"HTTP/1.1 ")[1:]
            for start in starts:
                self._seen.http(int(start[:3]), start, data)
            if not starts:
                self._seen.answers["HTTP closed"] += 1
        except TimeoutError:
            self._seen.hang("HTTP raw", data)
        except OSError:
            # Not only `ConnectionError`: to say "no more" to an endpoint that has closed already is "not connected".
            self._seen.answers["HTTP reset"] += 1
        finally:
            writer.close()

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def _answer(self, reader: asyncio.StreamReader, sent: bytes, *, bodyless: bool) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, _, length = head.partition(b"content-length:")
        if not bodyless and length:
            await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
        self._seen.http(int(head[9:12]), head, sent)
        if b"connection: close" in head:
            self.close()


class Part(NamedTuple):
    """Resident memory in MB while one part of the requests was sent, looked at ten times a second."""

    median: float
    most: float


async def storm(endpoint: Endpoint, mutations: Mutations, requests: int, clients: int, seen: Seen) -> Part:
    """Send so many requests, so many at a time."""
    left = iter(range(requests))
    resident: list[float] = []

    async def watch() -> None:
        while True:
            resident.append(endpoint.process.memory_info().rss / 1e6)
            await asyncio.sleep(_SAMPLE_SECONDS)

    async def one(client: Client, channel: Any, number: int) -> None:
        if number % 5 == 0:
            await _call(channel, *mutations.grpc(), seen)
        elif number % 5 == 1:
            await client.raw(mutations.raw())
        else:
            request = mutations.framed()
            await client.framed(request.data, bodyless=request.bodyless)

    async def work(channel: Any) -> None:
        client = Client(endpoint.port, seen)
        for number in left:
            began = time.perf_counter()
            await one(client, channel, number)
            seen.slowest = max(seen.slowest, time.perf_counter() - began)
        client.close()

    async with grpc.aio.insecure_channel(endpoint.grpc) as channel:
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(work(channel) for _ in range(clients)))
        watching.cancel()
    return Part(median(resident), max(resident))


async def _call(channel: Any, method: str, content: bytes, seen: Seen) -> None:
    try:
        await channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(content, timeout=_PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        seen.grpc(error.code().name, content)
    else:
        seen.grpc("OK", content)


@contextmanager
def serving(root: Path, log: Path) -> Iterator[Endpoint]:
    """Run the real endpoint over a store."""
    command = [sys.executable, "-m", "serving", "--store", str(root), "--port", "0", "--set", "grpc.port=0"]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[2].rpartition(":")[2])
        yield Endpoint(psutil.Process(process.pid), port, process.stdout.readline().split()[-1])
    finally:
        process.terminate()
        process.wait()


def wrong_afterwards(endpoint: Endpoint) -> list[str]:
    """Return what is not as before: a good request must be answered, and nothing be under way."""
    if not endpoint.process.is_running() or endpoint.process.status() == psutil.STATUS_ZOMBIE:
        return ["the process has ended"]
    at = f"http://127.0.0.1:{endpoint.port}"
    inputs = [{"name": s.name, "datatype": s.datatype, "shape": [1], "data": [USUAL[s.name]]} for s in INPUTS]
    asked = urllib.request.Request(f"{at}/v2/models/{NAME}/infer", json.dumps({"inputs": inputs}).encode())
    with urllib.request.urlopen(asked, timeout=_PATIENCE_SECONDS) as answer:
        label = json.load(answer)["outputs"][0]["data"]
    with urllib.request.urlopen(f"{at}/metrics", timeout=_PATIENCE_SECONDS) as answer:
        lines = answer.read().decode().splitlines()
    wrong = [] if label == ["late"] else [f"a good request is answered {label}"]
    return wrong + [line for line in lines if line.startswith("headrace_in_flight ") and float(line.split()[1])]


def growth_of(parts: Sequence[Part]) -> float:
    """Return by what share the memory of the last parts is above that of the first, by the median of their medians."""
    medians = [part.median for part in parts]
    return median(medians[-_COMPARED:]) / median(medians[:_COMPARED]) - 1


def main() -> int:
    """Print what came back; return the exit code."""
    parser = argparse.ArgumentParser(description="Send malformed requests.")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--clients", type=int, default=300, help="so many requests at a time")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    mutations, seen = Mutations(given.seed), Seen()
    with tempfile.TemporaryDirectory() as folder:
        root, log = Path(folder) / "models", Path(folder) / "log"
        write_columns(root)
        write_store(root, network().SerializeToString())
        with serving(root, log) as endpoint:
            started = endpoint.process.memory_info().rss / 1e6
            uvloop.run(storm(endpoint, mutations, min(_WARM_UP, given.requests), given.clients, Seen()))
            began, share = time.perf_counter(), max(given.requests // _PARTS, 1)
            parts = [uvloop.run(storm(endpoint, mutations, share, given.clients, seen)) for _ in range(_PARTS)]
            took = time.perf_counter() - began
            wrong = wrong_afterwards(endpoint)
        tracebacks = log.read_text().count("Traceback")
    growth = growth_of(parts)
    if growth > _MOST_GROWTH:
        wrong.append(f"memory grew by {growth:.1%}")
    print(f"{share * _PARTS} requests, {given.clients} at a time, seed {given.seed}, in {took:.0f} s")
    print(f"memory at the start {started:.1f} MB, then in each tenth, median (most):")
    tenths = ", ".join(f"{part.median:.1f} ({part.most:.1f})" for part in parts)
    print(f"{tenths}; last three against first three {growth:+.1%}")
    return _verdict(seen, tracebacks, wrong)


def _verdict(seen: Seen, tracebacks: int, wrong: Sequence[str]) -> int:
    print(", ".join(f"{answer}: {count}" for answer, count in sorted(seen.answers.items())))
    print(f"slowest answer {seen.slowest:.2f} s; failures {len(seen.failures)}, tracebacks in the log {tracebacks}")
    for what, sent in seen.failures[:_SHOWN]:
        print(f"  {what}: {sent[:600]!r}")
    print(f"afterwards: {', '.join(wrong) or 'all is well'}")
    return 1 if seen.failures or tracebacks or wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Whatever fails inside the endpoint, each exchange has one answer, is counted no longer, and harms no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from serving.config import ServeConfig
from serving.models.settings import BatchingConfig
from serving.protocol.answer import Answer
from serving.protocol.call import Call, JsonCall, Written
from serving.protocol.reader import RequestReader
from serving.records.request import InferRequest
from serving.service.exchange import Exchange, Response
from serving.service.service import Service
from tests.serving.bundles import promote, request

BODY = orjson.dumps(request())
SAID = {"error": "the endpoint failed on this request; its log says why"}
Infer = Callable[[Service, Exchange], None]


class DefectError(Exception):
    """What no part of the endpoint foresees."""


class Part:
    """A guard, and with `finished` an observer too, that fails where it is told to, and counts."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.admitted = 0
        self.left: list[Exchange] = []

    def admit(self, exchange: Exchange) -> None:
        self._fail("admit", exchange)
        self.admitted += 1

    def finished(self, exchange: Exchange, _response: Response | None = None) -> None:
        self.left.append(exchange)
        self._fail("finished", exchange)

    def _fail(self, where: str, exchange: Exchange) -> None:
        if self.fails == where and exchange.model:
            raise DefectError(where)


class Failing(JsonCall):
    """A call that cannot be parsed, read or written, for no reason that it could tell a client."""

    def __init__(self, where: str) -> None:
        super().__init__(BODY)
        self._where = where
        self._fail("parse")

    def read(self, reader: RequestReader) -> InferRequest:
        self._fail("read")
        return super().read(reader)

    def write(self, request: InferRequest, answer: Answer) -> Written:
        self._fail("write")
        return super().write(request, answer)

    def _fail(self, where: str) -> None:
        if self._where == where:
            raise DefectError(where)


def asked(root: Path, guard: Part, observer: Part, *steps: Infer) -> tuple[list[list[Response]], int]:
    """Ask everything at once; return all answers to each exchange, and how many requests are counted at the end."""

    async def run() -> tuple[list[list[Response]], int]:
        service = Service(ServeConfig(store=root, batching=BatchingConfig(inline_ms=1000)), (guard,), (observer,))
        await service.start()
        answers: list[list[Response]] = [[] for _ in steps]
        try:
            for step, given in zip(steps, answers, strict=True):
                exchange = Exchange("POST", "/v2/models/small/infer", "", (), "", given.append)
                if service.open(exchange):
                    step(service, exchange)
            for _ in range(500):
                await asyncio.sleep(0.002)
                if all(answers):
                    break
            # A second answer would come by now.
            await asyncio.sleep(0.02)
            return answers, await in_flight(service)
        finally:
            await service.stop()

    return asyncio.run(run())


async def in_flight(service: Service) -> int:
    """Return how many requests the endpoint says are under way."""
    said: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    exchange = Exchange("GET", "/metrics", "", (), "", said.set_result)
    assert service.open(exchange)
    service.answer(exchange, b"")
    (line,) = [line for line in (await said).body.splitlines() if line.startswith(b"headrace_in_flight ")]
    return int(float(line.split()[1]))


def failing(where: str) -> Infer:
    def make() -> Call:
        return Failing(where)

    return lambda service, exchange: service.infer(exchange, make)


def good(service: Service, exchange: Exchange) -> None:
    service.answer(exchange, BODY)


def large(service: Service, exchange: Exchange) -> None:
    """Ask with a body that a thread parses."""
    service.answer(exchange, BODY + b" " * 100_000)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boundary") / "models"
    promote(folder)
    return folder


@pytest.mark.parametrize("where", ["parse", "read", "write"])
def test_a_call_that_fails_is_answered_and_the_others_of_its_batch_too(
    root: Path, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    guard, observer = Part(), Part()
    answers, counted = asked(root, guard, observer, good, failing(where), good, large)
    assert [[response.status for response in given] for given in answers] == [[200], [500], [200], [200]]
    assert orjson.loads(answers[1][0].body) == SAID
    assert counted == 0
    own = [exchange for exchange in guard.left if exchange.model]
    assert guard.admitted - 1 == len(set(map(id, own))) == len(own) == 4
    assert [exchange.error for exchange in observer.left].count("Defect") == 1
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[0] is DefectError


@pytest.mark.parametrize(
    ("guard", "observer", "status"),
    [(Part("admit"), Part(), 500), (Part("finished"), Part(), 200), (Part(), Part("finished"), 200)],
    ids=["guard refuses to say", "guard at the end", "observer"],
)
def test_a_part_that_fails_costs_nobody_the_answer(root: Path, guard: Part, observer: Part, status: int) -> None:
    answers, counted = asked(root, guard, observer, good, good, large)
    assert [[response.status for response in given] for given in answers] == [[status]] * 3
    assert counted == 0
    own = [exchange for exchange in guard.left if exchange.model]
    assert len(set(map(id, own))) == len(own) == 3

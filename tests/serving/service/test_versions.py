"""Which version of a model the service lets answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from serving.bundle.traffic import TrafficPlan
from serving.config import ServeConfig
from serving.service.exchange import Exchange, Response
from serving.service.service import Service
from tests.serving.bundles import request
from tests.serving.models.house import House


class Ask(NamedTuple):
    """A request of the model."""

    path: str = "/v2/models/small/infer"
    id: str | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    method: str = "POST"


def answers(root: Path, asked: list[Ask]) -> list[tuple[int, Any]]:
    """Return the status and the document of every answer of a service over a store."""

    async def one(service: Service, ask: Ask) -> tuple[int, Any]:
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        exchange = Exchange(ask.method, ask.path, "", ask.headers, "", answered.set_result)
        if service.open(exchange):
            service.answer(exchange, orjson.dumps(request() | ({} if ask.id is None else {"id": ask.id})))
        response = await answered
        return response.status, orjson.loads(response.body)

    async def run() -> list[tuple[int, Any]]:
        service = Service(ServeConfig(store=root))
        await service.start()
        try:
            return list(await asyncio.gather(*(one(service, ask) for ask in asked)))
        finally:
            await service.stop()

    return asyncio.run(run())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A champion 1 with a canary 2 for half of the requests, a shadow 3 and nothing more."""
    house = House(tmp_path / "models")
    share = {"version": "2", "percent": 50}
    house.plan(canary=share, shadow={"version": "3", "percent": 100})
    return house.store.root


def versions(got: list[tuple[int, Any]]) -> list[str]:
    assert {status for status, _ in got} == {200}
    return [document["model_version"] for _, document in got]


def test_the_same_name_goes_to_the_same_version_as_id_or_as_header(root: Path) -> None:
    names = [f"customer-{n}" for n in range(40)]
    by_id = versions(answers(root, [Ask(id=name) for name in names]))
    assert by_id == versions(answers(root, [Ask(id=name) for name in names]))
    headers = [Ask(headers=((b"x-request-id", name.encode()),)) for name in names]
    assert by_id == versions(answers(root, headers))
    assert set(by_id) == {"1", "2"}
    # The id counts where there are both.
    both = [Ask(id=name, headers=((b"x-request-id", b"same"),)) for name in names]
    assert by_id == versions(answers(root, both))


def test_requests_without_a_name_are_dealt_evenly(root: Path) -> None:
    assert 18 <= versions(answers(root, [Ask()] * 40)).count("2") <= 22


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_a_version_asked_for_by_number_answers(root: Path, version: str) -> None:
    asked = Ask(f"/v2/models/small/versions/{version}/infer", id="customer-1")
    assert versions(answers(root, [asked] * 3)) == [version] * 3


def test_metadata_and_readiness_know_all_versions(root: Path) -> None:
    paths = ["/v2/models/small", "/v2/models/small/versions/3", "/v2/models/small/versions/3/ready"]
    got = answers(root, [Ask(path, method="GET") for path in (*paths, "/v2/models/small/versions/4/ready")])
    assert [status for status, _ in got] == [200, 200, 200, 404]
    assert got[0][1]["versions"] == got[1][1]["versions"] == ["1", "2", "3"]


def test_a_retired_model_is_not_found_and_the_endpoint_stays_ready(root: Path) -> None:
    (root / "small" / "traffic").write_text(TrafficPlan(retired=True).model_dump_json())
    got = answers(root, [Ask(), Ask("/v2/models/small", method="GET"), Ask("/v2/health/ready", method="GET")])
    assert [status for status, _ in got] == [404, 404, 200]
    assert "restore" in got[0][1]["error"]

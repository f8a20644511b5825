"""Versions come and go under load, in the real process: every answer comes, and says the truth about who gave it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from serving.bundle.store import ModelStore
from serving.bundle.traffic import Share, TrafficPlan
from tests.serving.bundles import Endpoint, promote, request, serving, small_model, write_bundle
from tests.serving.load import Reply, hammer

INFER = "/v2/models/small/infer"
# What version 1, 2 and 3 answer for a request with no effect of its own: the sigmoid of their bias.
BIASES = {"1": -2.0, "2": 0.0, "3": 2.0}


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def sure(number: int, **columns: Any) -> dict[str, Any]:
    """Return a request whose distance, and so its answer, is its own."""
    own: dict[str, Any] = {"carrier": ["B6"], "departs": [None], "distance": [float(number % 2000)]}
    return request(**(own | columns)) | {"id": f"r-{number}"}


def version_of(reply: Reply) -> str:
    """Return which version a reply says it is from, having seen that it is that version's answer to that request."""
    assert reply.status == 200, reply
    assert reply.document["id"] == f"r-{reply.number}"
    version = str(reply.document["model_version"])
    late = reply.document["outputs"][1]["data"][1]
    expected = sigmoid(reply.number % 2000 / 1000 + BIASES[version])
    assert abs(late - expected) < 1e-6, reply
    return version


def test_answers_never_cross_between_connections(endpoint: Endpoint) -> None:
    def body(number: int) -> dict[str, Any]:
        return sure(number, carrier=["XX"]) if number % 50 == 7 else sure(number)

    left = iter(range(2000))
    replies = asyncio.run(hammer(endpoint.url, INFER, 48, body, lambda: next(left, None) is not None))
    assert len(replies) == 2000
    for reply in replies:
        if reply.number % 50 == 7:
            assert (reply.status, reply.document["violations"][0]["got"]) == (400, "XX")
        else:
            expected = sigmoid(reply.number % 2000 / 1000)
            assert abs(reply.document["outputs"][1]["data"][1] - expected) < 1e-6
            assert reply.document["id"] == f"r-{reply.number}"


def test_swaps_under_load_fail_nothing(tmp_path: Path) -> None:
    root = tmp_path / "models"
    store = ModelStore(root)
    promote(root, BIASES["1"])
    promote(root, BIASES["2"], name="leaves")
    for version in ("2", "3"):
        store.register("small", partial(write_bundle, graph=small_model(BIASES[version])))
    done = False

    async def change() -> None:
        nonlocal done
        for turn in range(16):
            for step in _changes(store, turn):
                await asyncio.to_thread(step)
            await asyncio.sleep(0.03)
        done = True

    async def run() -> tuple[list[Reply], list[Reply]]:
        staying = hammer(endpoint.url, INFER, 14, sure, lambda: not done)
        leaving = hammer(endpoint.url, "/v2/models/leaves/infer", 2, sure, lambda: not done)
        stayed, left, _ = await asyncio.gather(staying, leaving, change())
        return stayed, left

    with serving(root, tmp_path / "log", "--set", "poll_seconds=0.02") as endpoint:
        stayed, left = asyncio.run(run())
        log = endpoint.log.read_text()
    assert {version_of(reply) for reply in stayed} == {"1", "2", "3"}
    # A retired model is not found, and no request of it ends in any other way.
    assert {reply.status for reply in left} == {200, 404}
    assert all("is retired" in reply.document["error"] for reply in left if reply.status == 404)
    assert log.count("serving model small") >= 6
    assert "Traceback" not in log


def _changes(store: ModelStore, turn: int) -> tuple[Callable[[], object], ...]:
    """Move the champion, the canary and the shadow of one model, and take the other out of service and back."""

    def shares(plan: TrafficPlan) -> TrafficPlan:
        canary, shadow = Share(version="3", percent=10 + 2 * turn), Share(version="3", percent=50)
        return plan.model_copy(update={"canary": canary, "shadow": shadow})

    def retired(plan: TrafficPlan) -> TrafficPlan:
        return plan.model_copy(update={"retired": turn % 4 < 2})

    champion = partial(store.set_champion, "small", "2") if turn % 4 == 0 else partial(store.rollback, "small")
    move = champion if turn % 2 == 0 else partial(store.set_traffic, "small", shares)
    return move, partial(store.set_traffic, "leaves", retired)

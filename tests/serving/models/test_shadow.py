"""`serving.models.shadow`: compared, never seen, and in nobody's way."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from serving.models.loaded import Outcome
from serving.models.shadow import ShadowCounts
from serving.protocol.answer import Answer
from tests.serving.bundles import INPUTS, request
from tests.serving.models.house import NAMES, House


def counts_of(house: House) -> ShadowCounts:
    shadow = house.served.lineup("small").shadow
    assert shadow is not None
    return shadow.counts


def shadowed(house: House, requests: list[dict[str, Any]], *, busy: bool = False) -> tuple[list[Outcome], ShadowCounts]:
    """Answer requests by the champion, let the shadow follow, and return the answers and what was counted."""

    async def run() -> list[Outcome]:
        gate: Future[None] = Future()
        if busy:
            house.served._shadow_thread.submit(gate.result, 10)
        lineup = house.served.lineup("small")
        assert lineup.shadow is not None
        outcomes: list[Outcome] = []
        for document in requests:
            read = house.served.get("small").reader.read(document)
            done = lineup.shadow.following(outcomes.append, read, partial(_read, document), "")
            lineup.champion.submit(read, done)
        for _ in range(2000):
            counts = lineup.shadow.counts
            if len(outcomes) == len(requests) and not gate.done():
                gate.set_result(None)
            if len(outcomes) == len(requests) == counts.requests + counts.failed + counts.dropped:
                return outcomes
            await asyncio.sleep(0.001)
        raise AssertionError("the shadow never came to an end")

    return asyncio.run(run()), counts_of(house)


def _read(document: dict[str, Any], reader: Any) -> Any:
    return reader.read(document)


def test_a_shadow_is_compared_and_never_seen(house: House) -> None:
    house.plan(shadow={"version": "2", "percent": 100})
    # Of B6 with no distance, the champion says 0.5, which is on time, and the shadow, whose bias is 2, late.
    same = request(2, carrier=["UA", "UA"])
    other = request(1, carrier=["B6"], distance=[None], departs=[None])
    outcomes, counts = shadowed(house, [same, other])
    assert [outcome.form.version for outcome in outcomes if isinstance(outcome, Answer)] == ["1", "1"]
    assert (counts.requests, counts.failed, counts.dropped) == (2, 0, 0)
    assert (counts.labels, counts.agreed) == (3, 2)
    assert counts.largest_difference == pytest.approx(0.380797, abs=1e-5)
    house.plan(shadow={"version": "2", "percent": 99})
    assert counts_of(house) is counts


def test_a_shadow_with_other_inputs_reads_the_request_itself(house: House) -> None:
    rule = INPUTS[0].rules[0].model_copy(update={"argument": ("AA", "UA")})
    version = house.register(3.0, inputs=(INPUTS[0].model_copy(update={"rules": (rule,)}), *INPUTS[1:]))
    house.plan(shadow={"version": version, "percent": 100})
    outcomes, counts = shadowed(house, [request(1, carrier=["B6"]), request(1)])
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert (counts.requests, counts.failed) == (1, 1)


def test_a_busy_shadow_drops_copies(house: House) -> None:
    house.plan(shadow={"version": "2", "percent": 100})
    outcomes, counts = shadowed(house, [request(100)] * 60, busy=True)
    assert len(outcomes) == 60
    # 40 may wait beside those that the thread was given first.
    assert 0 < counts.dropped <= 20
    assert counts.requests == 60 - counts.dropped


def test_a_shadow_gets_its_part(house: House) -> None:
    house.plan(shadow={"version": "2", "percent": 30})
    shadow = house.served.lineup("small").shadow
    assert shadow is not None
    read = house.served.get("small").reader.read(request())
    followed = [shadow.following(print, read, partial(_read, request()), name) is not print for name in NAMES]
    assert 90 < sum(followed) < 150

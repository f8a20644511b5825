"""Requests under way."""

from __future__ import annotations

import pytest

from serving.guard.flights import Flights
from serving.guard.refusals import OverloadedError, RateLimitedError


def test_the_process_has_a_limit() -> None:
    flights = Flights(2, None)
    flights.begin("a")
    flights.begin("a")
    with pytest.raises(OverloadedError, match="2 requests are under way") as refused:
        flights.begin("b")
    assert (refused.value.status, refused.value.headers) == (503, ((b"retry-after", b"1"),))
    flights.end("a")
    flights.begin("b")
    assert flights.count == 2


def test_each_client_has_a_limit() -> None:
    flights = Flights(10, 1)
    flights.begin("a")
    with pytest.raises(RateLimitedError, match="1 requests of this client") as refused:
        flights.begin("a")
    assert refused.value.status == 429
    flights.begin("b")
    flights.end("a")
    flights.begin("a")
    assert flights.count == 2


def test_nothing_is_kept_of_clients_without_requests() -> None:
    flights = Flights(None, 3)
    for number in range(1000):
        flights.begin(f"{number}")
        flights.end(f"{number}")
    assert (flights.count, len(flights)) == (0, 0)

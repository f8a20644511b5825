"""Token buckets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.guard.rates import Rates, network_of
from serving.guard.refusals import RateLimitedError


def taken(rates: Rates, client: str, now: float) -> bool:
    try:
        rates.take(client, now)
    except RateLimitedError:
        return False
    return True


def test_a_burst_and_then_the_rate() -> None:
    rates = Rates(10, 5, 100)
    assert [taken(rates, "a", 7.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert taken(rates, "b", 7.0)
    assert not taken(rates, "a", 7.09)
    assert taken(rates, "a", 7.11)
    assert not taken(rates, "a", 7.12)
    assert [taken(rates, "a", 60.0) for _ in range(6)] == [True] * 5 + [False]


def test_the_refusal_says_when_to_come_back() -> None:
    rates = Rates(0.1, 1, 100)
    rates.take("a", 0.0)
    with pytest.raises(RateLimitedError, match=r"at most 0.1 per second and 1 at once; retry after 7 s") as refused:
        rates.take("a", 3.5)
    assert refused.value.status == 429
    assert refused.value.headers == ((b"retry-after", b"7"),)
    assert taken(rates, "a", 10.0)


@settings(max_examples=50, deadline=None)
@given(
    rate=st.floats(0.5, 100),
    burst=st.integers(1, 20),
    steps=st.lists(st.floats(0, 1), max_size=60),
)
def test_no_more_than_the_burst_and_the_rate_ever_come_in(rate: float, burst: int, steps: list[float]) -> None:
    rates, now, times = Rates(rate, burst, 100), 0.0, []
    for step in steps:
        now += step
        if taken(rates, "a", now):
            times.append(now)
    for first, start in enumerate(times):
        for count, end in enumerate(times[first:], 1):
            assert count <= burst + (end - start) * rate + 1e-6


def test_only_the_last_clients_are_remembered() -> None:
    rates = Rates(1, 1, 100)
    for number in range(5000):
        assert taken(rates, f"client {number}", 0.0)
    assert len(rates) == 100
    assert not taken(rates, "client 4999", 0.5)
    assert taken(rates, "client 0", 0.5)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not: an address", "not: an address"),
    ],
)
def test_who_an_address_counts_as(address: str, network: str) -> None:
    assert network_of(address) == network

"""How often each client may ask: a token bucket for each, in bounded memory."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from functools import lru_cache

from serving.guard.refusals import RateLimitedError

_ROUNDING = 1e-6


class Rates:
    """A token bucket per client, kept as one number: the moment at which the bucket would be full again.

    This is the generic cell rate algorithm (ITU-T I.371). A bucket that is full again says nothing, so it may be
    forgotten without a difference; only where more than `max_clients` are not full is the one unseen for longest lost.

    Args:
        per_second: Requests per second that a client may go on sending.
        burst: Requests that may come at once, at least 1.
        max_clients: How many clients are remembered.
    """

    def __init__(self, per_second: float, burst: int, max_clients: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._interval = 1.0 / per_second
        # What may be taken in advance; the request itself takes one interval more. Sums of intervals are not exact.
        self._ahead = (burst - 1 + _ROUNDING) * self._interval
        self._max_clients = max_clients
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, client: str, now: float) -> None:
        """Count one request.

        Args:
            client: Who asks.
            now: Seconds of a clock that never goes back.

        Raises:
            RateLimitedError: The client's bucket is empty; the request is not counted.
        """
        full_at = max(self._full_at.get(client, now), now)
        over = full_at - now - self._ahead
        if over > 0:
            raise RateLimitedError(
                f"too many requests: expected at most {self._per_second:g} per second and {self._burst} at once", over
            )
        self._full_at[client] = full_at + self._interval
        self._full_at.move_to_end(client)
        if len(self._full_at) > self._max_clients:
            self._full_at.popitem(last=False)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return who an address counts as: an IPv6 client owns a whole /64 and could send from any address in it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))

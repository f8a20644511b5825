"""Who calls, in gRPC's words."""

from __future__ import annotations

from urllib.parse import unquote


def address_of(peer: str) -> str:
    """Return the address of a peer such as `ipv4:127.0.0.1:50000` or `ipv6:%5B::1%5D:50000`, as HTTP has it."""
    return unquote(peer.partition(":")[2].rpartition(":")[0]).strip("[]")

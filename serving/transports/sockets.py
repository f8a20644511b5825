"""Listening sockets."""

from __future__ import annotations

import socket


def bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a socket that is bound and does not listen yet.

    Args:
        host: An IPv4 or IPv6 address, or a name.
        port: 0 takes a free one.
        shared: Whether further sockets of this user may be bound to the same port; the kernel then spreads the
            connections over those that listen.

    Raises:
        OSError: The address is taken, or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening

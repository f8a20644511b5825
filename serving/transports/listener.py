"""What the HTTP/1.1 connections of a process share: limits, clock, and the way down."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from functools import partial

from serving.service.service import Service
from serving.transports.heads import Heads
from serving.transports.http1 import Connection
from serving.transports.limits import TransportConfig

_BACKLOG = 4096
_LONGEST_TICK_SECONDS = 1.0
# What stands in the kernel's queues when the signal comes is still taken. The pause is cut in pieces since the loop
# asks the kernel between two of them only: of a loop that was busy all through one long pause, nothing would be asked.
_LAST_CALLS = 10
_LAST_CALL_SECONDS = 0.005


class Listener:
    """Takes connections and watches over them.

    Attributes:
        now: The event loop's time at the last tick, in seconds; precise enough for limits, and free to read.
        draining: Whether each connection's next answer is its last.
        buffered: Bytes of incomplete bodies.
    """

    def __init__(self, service: Service, limits: TransportConfig) -> None:
        self.service = service
        self.limits = limits
        self.heads = Heads()
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time()
        self.draining = False
        self.buffered = 0
        self._connections: set[Connection] = set()
        self._all_gone = asyncio.Event()
        self._server: asyncio.Server | None = None
        reading = (limits.keep_alive_seconds, limits.head_seconds, limits.body_seconds)
        shortest = min(*reading, limits.answer_seconds, limits.write_seconds)
        self._tick_seconds = min(_LONGEST_TICK_SECONDS, shortest / 4)
        self._timer = self.loop.call_later(self._tick_seconds, self._tick)

    async def listen(self, listening: socket.socket, context: ssl.SSLContext | None = None) -> None:
        """Take connections from a bound socket, encrypted where a context is given.

        Raises:
            OSError: The socket cannot be listened on.
        """
        self._server = await self.loop.create_server(
            partial(Connection, self),
            sock=listening,
            backlog=_BACKLOG,
            ssl=context,
            ssl_handshake_timeout=self.limits.head_seconds if context else None,
        )

    def admit(self, connection: Connection) -> bool:
        """Watch over a connection from now on; return whether it may ask anything."""
        self._connections.add(connection)
        # Those that are told so stay for a moment; a flood is not even told.
        if len(self._connections) > 2 * self.limits.max_connections:
            connection.abort()
        return len(self._connections) <= self.limits.max_connections

    def forget(self, connection: Connection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        if not self._connections:
            self._all_gone.set()

    async def drain(self) -> None:
        """Take no more connections, answer what was asked, and close; cut off what is left when the time is over."""
        self.draining = True
        for _ in range(_LAST_CALLS):
            await asyncio.sleep(_LAST_CALL_SECONDS)
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close_if_idle()
        if self._connections:
            self._all_gone.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), self.limits.drain_seconds)
        for connection in list(self._connections):
            connection.abort()
        self._timer.cancel()

    def _tick(self) -> None:
        self.now = self.loop.time()
        self._timer = self.loop.call_later(self._tick_seconds, self._tick)
        self.heads.renew()
        for connection in list(self._connections):
            connection.look_at_the_clock(self.now)

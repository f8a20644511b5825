"""HTTP/1.1 on bare sockets: one object per connection, and no task or future per request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from serving.errors import RequestError
from serving.service.exchange import Exchange
from serving.transports.answers import Answers
from serving.transports.errors import LATE, BusyError, HeadTooLargeError, RequestTimeoutError
from serving.transports.heads import CLOSE
from serving.transports.requests import BODY, DEAF, HEAD, IDLE, Requests

if TYPE_CHECKING:
    from serving.transports.listener import Listener

# Input is looked at in pieces of this size, so that no single read brings in more requests, and so more answers, than
# the limits can still stop.
_PIECE_BYTES = 4096
# A connection that is closed while its client still sends is kept so long: closed at once, the kernel would reset it,
# and the client might never see why (RFC 9112, 9.6).
_LINGER_SECONDS = 2
# A client must take at least so much of its answers within the write limit: byte by byte is as bad as not at all.
_LEAST_TAKEN_BYTES = 4096


class Connection(asyncio.Protocol):
    """One client's connection: its requests in the order they come, its answers in the same order."""

    __slots__ = (
        "_answers",
        "_blocked",
        "_closing_since",
        "_counted",
        "_held",
        "_listener",
        "_most_turns",
        "_requests",
        "_stopped",
        "_taken_at",
        "_transport",
        "_unclean",
        "_unsent",
    )

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._most_turns = listener.limits.max_pipelined
        self._answers = Answers(listener, self._sent)
        self._requests = Requests(listener, self._answers)
        self._transport: asyncio.Transport | None = None
        # Input that waits until the client has taken its answers, or until the models have made them.
        self._held = b""
        self._stopped = False
        self._blocked = False
        # What was unsent when the client last took something, and when that was.
        self._unsent = 0
        self._taken_at = listener.now
        self._closing_since: float | None = None
        self._counted = 0
        # Whether the client may be sending what nobody reads.
        self._unclean = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many connections already."""
        self._transport = cast("asyncio.Transport", transport)
        self._answers.begin(self._transport)
        peer = transport.get_extra_info("peername")
        if peer:
            self._requests.client = peer[0]
        if not self._listener.admit(self) and not transport.is_closing():
            self._reject(BusyError("the endpoint has too many connections"))

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget everything; answers that still come are dropped."""
        self._transport = None
        self._held = b""
        self._answers.end()
        self._count(0)
        self._listener.forget(self)
        exchange = self._requests.end()
        if exchange is not None:
            self._listener.service.abandon(exchange)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._requests.phase == DEAF:
            return
        if self._held or len(data) > _PIECE_BYTES:
            self._held += data
        else:
            self._feed(data)
            # What `_must_wait` says, without the call.
            if not self._held and not self._blocked and len(self._answers.turns) < self._most_turns:
                return
        self._feed_held()

    def eof_received(self) -> bool:
        """Answer what was asked and close; a client that stops in the middle of a request gets no answer."""
        transport, requests, turns = self._transport, self._requests, self._answers.turns
        if transport is None or self._closing_since is not None or not turns or requests.exchange is not None:
            return False
        requests.phase = DEAF
        turns[-1].line = CLOSE
        return transport.can_write_eof()

    def pause_writing(self) -> None:
        """Read no more requests from a client that does not take its answers."""
        self._blocked = True
        self._stop()

    def resume_writing(self) -> None:
        """Read on."""
        self._blocked = False
        self._resume_soon()

    def close_if_idle(self) -> None:
        """Close, unless something was asked and not answered."""
        if self._requests.phase == IDLE and not self._answers.turns and not self._held:
            self._close()

    def abort(self) -> None:
        """Cut the client off."""
        if self._transport is not None:
            self._transport.abort()

    def look_at_the_clock(self, now: float) -> None:
        """Act on whatever has taken too long.

        Args:
            now: The event loop's time in seconds.
        """
        limits, requests, transport = self._listener.limits, self._requests, self._transport
        turns = self._answers.turns
        if transport is None:
            return
        age = now - requests.since
        unsent = transport.get_write_buffer_size()
        if self._takes_nothing(unsent, now):
            transport.abort()
        elif self._closing_since is not None:
            if not unsent and now - self._closing_since > _LINGER_SECONDS:
                transport.abort()
        elif turns and now - turns[0].since > limits.answer_seconds:
            turns[0].line = CLOSE
            turns[0].respond(LATE)
        elif self._stopped:
            # What takes long is not the client's doing.
            return
        elif requests.phase == HEAD and age > limits.head_seconds:
            self._reject(RequestTimeoutError(f"the head was not complete after {limits.head_seconds:g} s"))
        elif requests.phase == BODY and age > limits.body_seconds:
            self._reject(RequestTimeoutError(f"the body was not complete after {limits.body_seconds:g} s"))
        elif age > limits.keep_alive_seconds:
            self.close_if_idle()

    def _takes_nothing(self, unsent: int, now: float) -> bool:
        if unsent == 0 or self._unsent - unsent >= _LEAST_TAKEN_BYTES:
            self._unsent, self._taken_at = unsent, now
        self._unsent = max(self._unsent, unsent)
        return now - self._taken_at > self._listener.limits.write_seconds

    def _feed_held(self) -> None:
        requests = self._requests
        held, self._held = memoryview(self._held), b""
        while held and requests.phase != DEAF and not self._must_wait():
            size = max(requests.rest_of_body(), _PIECE_BYTES)
            self._feed(held[:size])
            held = held[size:]
            if self._held:
                held, self._held = memoryview(self._held + bytes(held)), b""
        if requests.phase != DEAF:
            self._held = bytes(held)
        if self._must_wait():
            self._stop()

    def _feed(self, data: bytes | memoryview) -> None:
        requests = self._requests
        size = requests.size
        try:
            rest = requests.feed(data)
            if rest:
                self._held = rest
            elif requests.phase == HEAD or (requests.phase == BODY and requests.size == size):
                self._gather(len(data))
            elif requests.phase == BODY or self._counted:
                requests.gathered = 0
                self._count(requests.size if requests.phase == BODY else 0)
        except RequestError as error:
            self._reject(error)

    def _gather(self, size: int) -> None:
        requests = self._requests
        requests.gathered += size
        limit = self._listener.limits.max_head_bytes
        if requests.gathered > limit:
            raise HeadTooLargeError(f"the head is larger than {limit} bytes")

    def _count(self, size: int) -> None:
        """Keep account of the bytes that wait for the rest of their body, over all connections."""
        listener = self._listener
        listener.buffered += size - self._counted
        self._counted = size
        if listener.buffered > listener.limits.max_buffered_bytes and size:
            raise BusyError(f"bodies of more than {listener.limits.max_buffered_bytes} bytes are being received")

    def _must_wait(self) -> bool:
        return self._blocked or len(self._answers.turns) >= self._most_turns

    def _stop(self) -> None:
        if not self._stopped and self._closing_since is None and self._transport is not None:
            self._stopped = True
            self._transport.pause_reading()

    def _resume_soon(self) -> None:
        # Not at once: the parser may be in the middle of what asked for this.
        if self._stopped:
            self._listener.loop.call_soon(self._resume)

    def _resume(self) -> None:
        if self._stopped and self._transport is not None and not self._must_wait():
            self._stopped = False
            self._transport.resume_reading()
            self._feed_held()

    def _sent(self, last: bool) -> None:  # noqa: FBT001 - called for every answer
        requests = self._requests
        requests.since = self._listener.now
        if last:
            self._close()
        elif self._stopped:
            self._resume_soon()
        elif self._answers.owes_continue:
            self._answers.say_continue()

    def _reject(self, error: RequestError) -> None:
        """Refuse what cannot be read on, after the answers to what came before, and close."""
        requests, turns, service = self._requests, self._answers.turns, self._listener.service
        if requests.phase == DEAF:
            # The last answer is sent or under way; what follows it means nothing.
            return
        passed_by = requests.phase == BODY and requests.exchange is None
        exchange, requests.exchange = requests.exchange, None
        requests.phase, self._held = DEAF, b""
        self._unclean = True
        self._count(0)
        if exchange is not None:
            turns[-1].line = CLOSE
            service.refuse(exchange, error)
        elif passed_by and turns:
            turns[-1].line = CLOSE
        elif passed_by:
            self._close()
        else:
            turn = self._answers.turn(CLOSE, bodyless=False)
            service.refuse(Exchange("", "", "", (), requests.client, turn.respond), error)

    def _close(self) -> None:
        """Close once everything is sent; what the client still sends is taken and thrown away for a while."""
        transport, requests = self._transport, self._requests
        if transport is None or self._closing_since is not None:
            return
        self._closing_since = self._listener.now
        unread = self._unclean or self._held or requests.phase in {HEAD, BODY}
        requests.phase, self._held = DEAF, b""
        if not unread:
            transport.close()
            return
        if self._stopped:
            self._stopped = False
            transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()

"""The requests of one HTTP/1.1 connection, from the parser's calls to the service.

httptools (llhttp, the parser of Node.js) reads them, and strictly, so that no request is smuggled inside another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httptools

from serving.errors import BadRequestError, TooLargeError
from serving.service.exchange import Exchange
from serving.transports.answers import Answers, Turn
from serving.transports.errors import HeadTooLargeError, TargetTooLongError
from serving.transports.heads import CLOSE, KEEP_ALIVE, split_target

if TYPE_CHECKING:
    from serving.transports.listener import Listener

_METHODS = {b"GET": "GET", b"HEAD": "HEAD", b"POST": "POST"}
# Headers that the transport itself obeys.
_OWN = frozenset({b"connection", b"expect"})
_OF_UPGRADES = frozenset({b"upgrade", b"http2-settings"})

# What a connection is reading: nothing yet, a head, a body; or it is deaf, and whatever comes is no request any more.
# Plain numbers: they are compared several times per request.
IDLE, HEAD, BODY, DEAF = range(4)


class Requests:
    """What the parser calls; one per connection.

    Attributes:
        client: The peer's address.
        phase: What is being read: `IDLE`, `HEAD`, `BODY` or `DEAF`.
        since: The listener's time when the phase began.
        exchange: The one whose body is being read; None between requests, and while a refused one's body is passed by.
        size: Bytes of the body so far.
        gathered: Bytes fed since the parser last called: it keeps heads, chunk extensions and trailers to itself.
    """

    __slots__ = (
        "_answers",
        "_headers",
        "_hosts",
        "_listener",
        "_max_body",
        "_own",
        "_parser",
        "_parts",
        "_service",
        "_target",
        "client",
        "exchange",
        "gathered",
        "phase",
        "since",
        "size",
    )

    def __init__(self, listener: Listener, answers: Answers) -> None:
        self.client = ""
        self.phase = IDLE
        self.since = listener.now
        self.exchange: Exchange | None = None
        self.size = self.gathered = 0
        self._listener = listener
        self._service = listener.service
        self._max_body = listener.service.config.max_body_bytes
        self._answers = answers
        self._parser: Any = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._own: dict[bytes, bytes] = {}
        self._hosts = 0
        self._parts: list[bytes] = []

    def feed(self, data: bytes | memoryview) -> bytes:
        """Read what the client sent; exchanges are opened and answered on the way.

        Returns:
            What is still to be fed: nothing, except where the client asked for another protocol.

        Raises:
            RequestError: It is not HTTP, or over a limit.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._without_upgrade() + bytes(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            raise (error.__context__ or error) from None
        except httptools.HttpParserError as error:
            if self.phase != DEAF:
                raise BadRequestError(f"not HTTP/1.1: {error}") from None
        return b""

    def end(self) -> Exchange | None:
        """Read no more; return the exchange whose body is not complete, if there is one."""
        self.phase = DEAF
        # It holds this object's methods: a cycle.
        self._parser = None
        self._parts.clear()
        exchange, self.exchange = self.exchange, None
        return exchange

    def rest_of_body(self) -> int:
        """Return how many bytes surely belong to the body that is being read; 0 where that is not known."""
        if self.phase == BODY:
            for name, value in self._headers:
                if name == b"content-length":
                    return int(value) - self.size
        return 0

    def on_message_begin(self) -> None:
        """A head begins."""
        if self.phase == DEAF:
            raise BadRequestError("nothing may follow the last request")
        self.phase = HEAD
        self.since = self._listener.now
        self._target = b""
        self._headers = []
        self._hosts = self.gathered = 0
        if self._own:
            self._own = {}

    def on_url(self, part: bytes) -> None:
        """The request's target, or a part of it."""
        self._target += part
        if len(self._target) > self._listener.limits.max_target_bytes:
            raise TargetTooLongError(f"the target is longer than {self._listener.limits.max_target_bytes} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or a trailer, which means nothing here."""
        if self.phase != HEAD:
            return
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name in _OWN:
            self._own[name] = value.lower()
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """A head is complete: see whether the service wants the body."""
        parser = self._parser
        if parser.should_upgrade():
            return
        method = parser.get_method()
        turn = self._answers.turn(self._connection_line(), bodyless=method == b"HEAD")
        path, query = split_target(self._target)
        exchange = Exchange(
            _METHODS.get(method) or method.decode(), path, query, self._headers, self.client, turn.respond
        )
        self.phase = BODY
        self.since = self._listener.now
        self.size = 0
        if b"expect" in self._own:
            self._open_expecting(exchange, turn)
        elif self._service.open(exchange):
            self.exchange = exchange

    def _connection_line(self) -> bytes:
        limits = self._listener.limits
        if len(self._headers) > limits.max_headers:
            raise HeadTooLargeError(f"the request has more than {limits.max_headers} headers")
        line = b"" if self._parser.should_keep_alive() else CLOSE
        if self._hosts != 1 or self._own:
            old = self._parser.get_http_version() in {"0.9", "1.0"}
            if self._hosts > 1 or (self._hosts == 0 and not old):
                raise BadRequestError(f"expected one Host header, got {self._hosts}")
            if old and not line:
                # HTTP/1.0 has no chunks: a proxy that does not know them sees another end here (RFC 9112, 6.1).
                chunked = any(name == b"transfer-encoding" for name, _ in self._headers)
                line = CLOSE if chunked else KEEP_ALIVE
        return line

    def _open_expecting(self, exchange: Exchange, turn: Turn) -> None:
        """Open an exchange whose client may wait to hear whether to send the body."""
        # Told no, the client may send the body or not: what follows could not be told from a request.
        line, turn.line = turn.line, CLOSE
        if self._service.open(exchange):
            turn.line = line
            self.exchange = exchange
            self._answers.owes_continue = self._own[b"expect"] == b"100-continue"
            self._answers.say_continue()

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self.size += len(part)
        if self.size > self._max_body:
            raise TooLargeError(self._max_body)
        if self.exchange is not None:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """A request is complete: have it answered."""
        if self.phase != BODY:
            return
        turns = self._answers.turns
        self.phase = IDLE
        self.since = self._listener.now
        # A refused request may have had its answer already.
        if turns:
            turns[-1].since = self.since
            if turns[-1].line is CLOSE:
                self.phase = DEAF
        exchange = self.exchange
        if exchange is not None:
            self.exchange = None
            self._answers.owes_continue = False
            parts = self._parts
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            self._parts = []
            self._service.answer(exchange, body)

    def _without_upgrade(self) -> bytes:
        """Start over with a request whose wish for another protocol is ignored, as RFC 9110, 7.8 allows.

        Returns:
            The head without that wish, for a new parser.

        Raises:
            BadRequestError: The method is CONNECT, after which no HTTP follows.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise BadRequestError("CONNECT is not accepted: this is no proxy")
        version = self._parser.get_http_version().encode()
        self._parser = httptools.HttpRequestParser(self)
        lines = [b"%b %b HTTP/%b" % (method, self._target, version)]
        for name, value in self._headers:
            kept = value
            if name == b"connection":
                options = (option.strip() for option in value.split(b","))
                kept = b", ".join(option for option in options if option.lower() not in _OF_UPGRADES)
            if name not in _OF_UPGRADES and (kept or name != b"connection"):
                lines.append(b"%b: %b" % (name, kept))
        return b"\r\n".join(lines) + b"\r\n\r\n"

"""The bytes of HTTP/1.1 answers, and the targets of requests."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import unquote

import httptools

from serving.service.exchange import Response

CLOSE = b"connection: close\r\n"
KEEP_ALIVE = b"connection: keep-alive\r\n"
_NOT_MODIFIED = 304
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Up to this size one copy into one buffer is cheaper than a second buffer for the kernel to gather.
_JOINED_BYTES = 64 * 1024
# Only such targets are remembered: hundreds of the longest ones that a client may send would take megabytes.
_SHORT = 256


class Heads:
    """Writes heads; the part that repeats is kept for as long as the date in it holds, one second."""

    def __init__(self) -> None:
        self._starts: dict[tuple[int, bytes], bytes] = {}
        # Whole heads of answers that say nothing special, by the length of their body.
        self._plain: dict[tuple[int, bytes, int], bytes] = {}

    def renew(self) -> None:
        """Forget what holds an old date."""
        self._starts.clear()
        self._plain.clear()

    def pieces(self, response: Response, connection: bytes, *, bodyless: bool) -> list[bytes]:
        """Return an answer's bytes, in one piece or two.

        Args:
            response: What to say.
            connection: The line about the connection, or nothing.
            bodyless: Whether the body is left out, as for HEAD and with 304; its length is told all the same.
        """
        body = response.body
        if not (response.headers or connection or bodyless) and len(body) <= _JOINED_BYTES:
            # By far the most frequent case.
            plain = response.status, response.content_type, len(body)
            return [(self._plain.get(plain) or self._whole(*plain)) + body]
        kind = response.status, response.content_type
        start = self._starts.get(kind) or self._start(*kind)
        bodyless = bodyless or response.status == _NOT_MODIFIED
        if response.headers:
            connection += b"".join(
                b"%b: %b\r\n" % (name, value) for name, value in response.headers if name != b"connection"
            )
        if bodyless or len(body) > _JOINED_BYTES:
            head = b"%b%d\r\n%b\r\n" % (start, len(body), connection)
            return [head] if bodyless else [head, body]
        return [b"%b%d\r\n%b\r\n%b" % (start, len(body), connection, body)]

    def _whole(self, status: int, content_type: bytes, length: int) -> bytes:
        start = self._starts.get((status, content_type)) or self._start(status, content_type)
        head = self._plain[status, content_type, length] = b"%b%d\r\n\r\n" % (start, length)
        return head

    def _start(self, status: int, content_type: bytes) -> bytes:
        start = self._starts[status, content_type] = b"HTTP/1.1 %d %b\r\ndate: %b\r\n%bcontent-length: " % (
            status,
            _phrase(status),
            formatdate(usegmt=True).encode(),
            b"content-type: %b\r\n" % content_type if content_type else b"",
        )
        return start


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""


def split_target(target: bytes) -> tuple[str, str]:
    """Return the decoded path and the raw query of a request's target.

    Args:
        target: As the request line has it: usually a path, from proxies also a whole URL.
    """
    return _known(target) if len(target) <= _SHORT else _split(target)


def _split(target: bytes) -> tuple[str, str]:
    if not target.startswith(b"/"):
        try:
            url = httptools.parse_url(target)
        except httptools.HttpParserInvalidURLError:
            return target.decode("latin-1"), ""
        return unquote((url.path or b"/").decode("latin-1")), (url.query or b"").decode("latin-1")
    raw, _, query = target.partition(b"?")
    path = raw.decode("latin-1")
    return (unquote(path) if "%" in path else path), query.decode("latin-1")


_known = lru_cache(maxsize=64)(_split)

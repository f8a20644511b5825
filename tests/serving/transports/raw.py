"""HTTP spoken by hand over a socket, so that it can be spoken badly."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.serving.bundles import request

LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
INFER = "/v2/models/small/infer"


def post(body: bytes, path: str = INFER, headers: str = "") -> bytes:
    """Return a request with a body."""
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def infer(identity: str) -> bytes:
    """Return a good inference request with an id."""
    return post(json.dumps(request() | {"id": identity}).encode())


@dataclass(frozen=True)
class Answer:
    """One answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Raw:
    """A connection to an endpoint."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        at = urlsplit(url)
        self.socket = socket.create_connection((at.hostname, at.port or 0), timeout=30)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=at.hostname)
        self._read = b""

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def answer(self, *, bodyless: bool = False) -> Answer:
        """Read the next answer."""
        while b"\r\n\r\n" not in self._read:
            self._receive()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        start, *lines = head.decode().split("\r\n")
        protocol, status, _ = start.split(" ", 2)
        assert protocol == "HTTP/1.1"
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs)
        length = 0 if bodyless else int(headers.get("content-length", 0))
        while len(self._read) < length:
            self._receive()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(int(status), headers, body)

    def closed(self) -> bool:
        """Return whether the endpoint ends the connection and says nothing before."""
        try:
            return not self._read and not self.socket.recv(1)
        except ConnectionResetError:
            return True

    def _receive(self) -> None:
        data = self.socket.recv(1 << 20)
        assert data, "the endpoint closed the connection"
        self._read += data

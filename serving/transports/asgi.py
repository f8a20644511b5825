"""The service as a plain ASGI application; any ASGI server runs it.

With uvicorn: `uvicorn --factory serving.transports.asgi:application`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from serving.config import ServeConfig
from serving.config_file import load_config
from serving.errors import TooLargeError
from serving.service.exchange import Exchange, Response
from serving.service.service import Service

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_NOT_MODIFIED = 304


def application() -> App:
    """Return the application for the model store below HEADRACE_HOME, or as the file HEADRACE_SERVE_CONFIG says.

    What the settings say of the port, of connections and of processes is then the ASGI server's business.

    Raises:
        ConfigError: The file asks for something that cannot be done.
    """
    path = os.environ.get("HEADRACE_SERVE_CONFIG")
    store = f"{os.environ.get('HEADRACE_HOME', '.headrace').rstrip('/')}/models"
    return App(Service(load_config(ServeConfig, Path(path) if path else None, {}, defaults={"store": store})))


class ClientGoneError(ConnectionError):
    """The client closed the connection before its request was complete."""


class App:
    """Carries exchanges between an ASGI server and the service; the lifespan starts and stops it."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event, as ASGI 3 asks.

        Raises:
            ValueError: The scope is neither HTTP nor lifespan.
        """
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            raise ValueError(f"expected an http or lifespan scope, got {scope['type']!r}")

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        client = scope.get("client")
        exchange = Exchange(
            scope["method"],
            scope["path"],
            scope.get("query_string", b"").decode("latin-1"),
            scope["headers"],
            client[0] if client else "",
            answered.set_result,
        )
        if self.service.open(exchange):
            limit = self.service.config.max_body_bytes
            try:
                body = await _read_body(receive, limit)
            except TooLargeError as error:
                self.service.refuse(exchange, error)
            except ClientGoneError:
                self.service.abandon(exchange)
                return
            else:
                self.service.answer(exchange, body)
        await _send(send, await answered)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.service.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.service.stop()
        await send({"type": "lifespan.shutdown.complete"})


async def _send(send: Send, response: Response) -> None:
    body = b"" if response.status == _NOT_MODIFIED else response.body
    headers = [(b"content-type", response.content_type), *response.headers]
    if response.status != _NOT_MODIFIED:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Receive, limit: int) -> bytes:
    """Read a request's body, at most `limit` bytes of it.

    Raises:
        TooLargeError: The body is longer.
        ClientGoneError: The client closed the connection.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False) and len(body) <= limit:
        return body
    parts, length = [body], len(body)
    while message.get("more_body", False) and length <= limit:
        message = await receive()
        parts.append(message.get("body", b""))
        length += len(parts[-1])
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    if length > limit:
        raise TooLargeError(limit)
    return b"".join(parts)

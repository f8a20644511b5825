"""The endpoint as a plain ASGI application; any ASGI server runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from serving import __version__
from serving.bundle.store import ModelStore
from serving.errors import BadRequestError, EncodingError, RequestError, TooLargeError
from serving.model import PredictionError
from serving.openapi import openapi
from serving.reload import ServedModels
from serving.routes import Route, check_method, find_route

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

# A larger body is decoded in a thread, so that health checks and small requests need not wait for it.
_LARGE_BODY_BYTES = 64 * 1024
_NOT_READY = 400


class ServeConfig(BaseModel):
    """What the endpoint serves, where, and how much it accepts.

    Attributes:
        store: The model store's folder.
        port: 0 takes a free one.
        max_body_bytes: A request's body beyond this is answered 413.
        max_batch: The largest number of rows in one request.
        poll_seconds: How often the champion pointers are looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Path
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    max_body_bytes: int = Field(default=16 * 1024 * 1024, gt=0)
    max_batch: int = Field(default=16_384, gt=0)
    poll_seconds: float = Field(default=0.5, gt=0)


class ClientGoneError(ConnectionError):
    """The client closed the connection before its request was complete."""


class App:
    """Routes requests to the served models.

    The lifespan loads every champion before the server listens, and follows the store until it stops.

    Attributes:
        served: The loaded models.
    """

    def __init__(self, config: ServeConfig) -> None:
        self.served = ServedModels(ModelStore(config.store), config.max_batch)
        self._config = config
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event, as ASGI 3 asks.

        Raises:
            ValueError: The scope is neither HTTP nor lifespan.
        """
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"expected an http or lifespan scope, got {scope['type']!r}")
        headers: Headers = ()
        try:
            status, body = await self._answer(scope, receive)
        except RequestError as error:
            status, body, headers = error.status, orjson.dumps({"error": str(error), **error.details}), error.headers
        except PredictionError as error:
            status, body = 500, orjson.dumps({"error": f"the model failed on this request: {error}"})
        except ClientGoneError:
            return
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", str(len(body)).encode()),
                    *headers,
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        route = find_route(scope["path"])
        check_method(route, scope["method"])
        if route.kind != "infer":
            status, answer = self._describe(route)
            return status, orjson.dumps(answer)
        model = self.served.get(route.model, route.version)
        body = await _read_body(scope, receive, self._config.max_body_bytes)
        if len(body) <= _LARGE_BODY_BYTES:
            return 200, model.infer(body)
        return 200, await asyncio.get_running_loop().run_in_executor(self._thread, model.infer, body)

    def _describe(self, route: Route) -> tuple[int, dict[str, Any]]:
        match route.kind:
            case "server":
                return 200, {"name": "headrace", "version": __version__, "extensions": []}
            case "live":
                return 200, {"live": True}
            case "ready":
                ready = self.served.ready
                return (200 if ready else _NOT_READY), {"live": True, "ready": ready}
            case "openapi":
                return 200, openapi([model.manifest for model in self.served.loaded.values()], __version__)
            case "model_ready":
                return 200, {"name": self.served.get(route.model, route.version).name, "ready": True}
            case _:
                return 200, self.served.get(route.model, route.version).metadata()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.to_thread(self.served.refresh)
        watcher = asyncio.create_task(self.served.watch(self._config.poll_seconds))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watcher.cancel()
        self._thread.shutdown()
        await send({"type": "lifespan.shutdown.complete"})


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Read a request's body, at most `limit` bytes of it.

    Raises:
        TooLargeError: The body is longer.
        EncodingError: The body is compressed.
        BadRequestError: The body holds binary tensors.
        ClientGoneError: The client closed the connection.
    """
    _check_headers(scope["headers"], limit)
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


def _check_headers(headers: Headers, limit: int) -> None:
    for name, value in headers:
        if name == b"content-length" and int(value) > limit:
            raise TooLargeError(limit)
        if name == b"content-encoding" and value.lower() != b"identity":
            raise EncodingError(
                f"a body of content-encoding {value.decode('latin-1'):.40} is not accepted; send it uncompressed"
            )
        if name == b"inference-header-content-length":
            raise BadRequestError(
                "binary tensors are not accepted (see 'extensions' at /v2); send 'data' as JSON, "
                "with tritonclient by set_data_from_numpy(..., binary_data=False)"
            )

"""The gRPC server: each call becomes an exchange, so routing, guards, batching and watching are those of HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import grpc
import grpc.aio
import orjson
from google.protobuf.message import DecodeError, Message

from serving.config import ServeConfig
from serving.errors import BadRequestError, NotFoundError, RequestError
from serving.service.exchange import Exchange, Response
from serving.service.service import Service
from serving.transports.grpc import inference_pb2 as messages
from serving.transports.grpc.call import GrpcCall
from serving.transports.grpc.library_log import LOGGER, is_failure
from serving.transports.grpc.peers import address_of
from serving.transports.tls import TlsConfig

_SERVICE = "inference.GRPCInferenceService"
_OK = 200
_LAST_CALL_SECONDS = 0.1
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}

Context = Any  # grpc.aio.ServicerContext, which has no types


class GrpcServer:
    """`GRPCInferenceService` over a service.

    Args:
        service: Answers the calls. It must have been started.
        config: The endpoint's settings, of which `grpc` is given.
    """

    def __init__(self, service: Service, config: ServeConfig) -> None:
        assert config.grpc is not None
        logging.getLogger(LOGGER).addFilter(is_failure)
        self._service = service
        self._config = config
        self._begun = 0
        host = f"[{config.host}]" if ":" in config.host else config.host
        self._host = host
        self._address = f"{host}:{config.grpc.port}"
        self._server: Any = grpc.aio.server(
            maximum_concurrent_rpcs=config.grpc.max_calls,
            options=[
                ("grpc.max_receive_message_length", config.max_body_bytes),
                # The workers of one endpoint share their port; two endpoints must not do so by accident.
                ("grpc.so_reuseport", int(config.workers > 1)),
            ],
        )
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, self._handlers()),))

    async def start(self) -> str:
        """Listen, and return the address.

        Raises:
            OSError: The address cannot be listened on.
        """
        try:
            if self._config.tls is None:
                port = self._server.add_insecure_port(self._address)
            else:
                port = self._server.add_secure_port(self._address, _credentials(self._config.tls))
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self._address} for gRPC: {error}") from error
        await self._server.start()
        return f"{self._host}:{port}"

    async def stop(self, grace_seconds: float) -> None:
        """Take no more calls, and wait so long for those in flight.

        What waits in the library's own queue when it stops is cancelled, which no client tries again elsewhere; so this
        waits first until for a moment no call came, for half of the time at most.
        """
        loop = asyncio.get_running_loop()
        end, seen = loop.time() + grace_seconds, -1
        while seen != self._begun and end - loop.time() > grace_seconds / 2:
            seen = self._begun
            await asyncio.sleep(_LAST_CALL_SECONDS)
        await self._server.stop(max(end - loop.time(), 0))

    def _handlers(self) -> dict[str, Any]:
        called: dict[str, Callable[[bytes, Context], Awaitable[bytes]]] = {
            "ServerLive": self._described(messages.ServerLiveRequest, _live),
            "ServerReady": self._described(messages.ServerReadyRequest, _ready),
            "ServerMetadata": self._described(messages.ServerMetadataRequest, _server_metadata),
            "ModelReady": self._described(messages.ModelReadyRequest, _model_ready),
            "ModelMetadata": self._described(messages.ModelMetadataRequest, _model_metadata),
            "ModelInfer": self._infer,
        }
        # Without serializers the handlers see bytes, so that what is no such message is answered as the client's error.
        return {name: grpc.unary_unary_rpc_method_handler(method) for name, method in called.items()}

    def _described(
        self, kind: type[Message], describe: Callable[[Any, _Ask], Awaitable[Message]]
    ) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def answer(content: bytes, context: Context) -> bytes:
            async def ask(path: str) -> Response:
                return await self._exchange("GET", path, context, lambda exchange: self._service.answer(exchange, b""))

            try:
                return (await describe(_parsed(kind, content), ask)).SerializeToString()
            except RequestError as error:
                return _refused(context, error.status, str(error))

        return answer

    async def _infer(self, content: bytes, context: Context) -> bytes:
        try:
            message = _parsed(messages.ModelInferRequest, content)
            path = f"{_model_path(message.model_name, message.model_version)}/infer"
        except RequestError as error:
            return _refused(context, error.status, str(error))

        def infer(exchange: Exchange) -> None:
            exchange.bytes_in, exchange.received = len(content), perf_counter()
            self._service.infer(exchange, lambda: GrpcCall(message))

        response = await self._exchange("POST", path, context, infer)
        if response.status != _OK:
            return _refused(context, response.status, orjson.loads(response.body)["error"])
        return response.body

    async def _exchange(
        self, method: str, path: str, context: Context, proceed: Callable[[Exchange], None]
    ) -> Response:
        self._begun += 1
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        headers = [(name.encode(), _bytes(value)) for name, value in context.invocation_metadata() or ()]
        exchange = Exchange(method, path, "", headers, address_of(context.peer()), answered.set_result)
        exchange.protocol = "grpc"
        if self._service.open(exchange):
            proceed(exchange)
        return await asyncio.shield(answered)


_Ask = Callable[[str], Awaitable[Response]]


async def _live(_request: Any, ask: _Ask) -> Message:
    return messages.ServerLiveResponse(live=_document(await ask("/v2/health/live"))["live"])


async def _ready(_request: Any, ask: _Ask) -> Message:
    response = await ask("/v2/health/ready")
    return messages.ServerReadyResponse(ready=response.status == _OK)


async def _server_metadata(_request: Any, ask: _Ask) -> Message:
    document = _document(await ask("/v2"))
    return messages.ServerMetadataResponse(**{key: document[key] for key in ("name", "version", "extensions")})


async def _model_ready(request: Any, ask: _Ask) -> Message:
    response = await ask(f"{_model_path(request.name, request.version)}/ready")
    if response.status not in {_OK, NotFoundError.status}:
        _document(response)
    return messages.ModelReadyResponse(ready=response.status == _OK)


async def _model_metadata(request: Any, ask: _Ask) -> Message:
    document = _document(await ask(_model_path(request.name, request.version)))
    tensor = messages.ModelMetadataResponse.TensorMetadata
    return messages.ModelMetadataResponse(
        name=document["name"],
        versions=document["versions"],
        platform=document["platform"],
        inputs=[tensor(**each) for each in document["inputs"]],
        outputs=[tensor(**each) for each in document["outputs"]],
    )


def _credentials(tls: TlsConfig) -> Any:
    return grpc.ssl_server_credentials([(tls.key.read_bytes(), tls.certificate.read_bytes())])


def _document(response: Response) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(response.body)
    if response.status != _OK:
        raise _refusal(response.status, document["error"])
    return document


def _refusal(status: int, what: str) -> RequestError:
    # Not where it is raised: there its traceback would hold the frame whose variable holds it.
    refusal = RequestError(what)
    refusal.status = status
    return refusal


def _model_path(name: str, version: str) -> str:
    for what, given in (("model", name), ("version", version)):
        if "/" in given:
            raise NotFoundError(f"{what} {given!r:.120} is not served: no name holds a '/'")
    if not name:
        raise BadRequestError("the model's name is empty: expected one of the served models")
    return f"/v2/models/{name}/versions/{version}" if version else f"/v2/models/{name}"


def _parsed(kind: type[Message], content: bytes) -> Any:
    try:
        return kind.FromString(content)
    except DecodeError as error:
        raise BadRequestError(f"not a {kind.__name__}: {error!s:.200}") from error


def _refused(context: Context, status: int, what: str) -> bytes:
    """End a call with an error; return what stands for its message.

    The library's own `abort` raises an exception that the call keeps, and whose frames keep the call: a cycle.
    """
    context.set_code(_CODES.get(status, grpc.StatusCode.INTERNAL))
    context.set_details(what)
    return b""


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()

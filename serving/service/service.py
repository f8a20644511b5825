"""What the endpoint does with an exchange, the same for every transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import orjson

from serving import __version__
from serving.bundle.store import ModelStore
from serving.config import ServeConfig
from serving.errors import BadRequestError, EncodingError, RequestError, TooLargeError
from serving.models.batching import Batcher
from serving.models.loaded import LoadedModel, Outcome, PredictionError
from serving.models.served import ServedModels
from serving.protocol.answer import Answer
from serving.protocol.call import Call, JsonCall
from serving.protocol.openapi import openapi
from serving.records.request import InferRequest
from serving.service.exchange import Exchange, Response
from serving.service.routes import Route, check_method, find_route

# A larger body is parsed in a thread, so that health checks and small requests need not wait for it.
_LARGE_BODY_BYTES = 64 * 1024
_INLINE_ROWS = 1024
_NOT_READY = 400


class Guard(Protocol):
    """Decides about exchanges before their body is read."""

    def admit(self, exchange: Exchange) -> None:
        """Let an exchange in; `exchange.route` is known.

        Raises:
            RequestError: It may not come in.
        """

    def finished(self, exchange: Exchange) -> None:
        """An exchange that was let in has its answer."""


class Observer(Protocol):
    """Sees every exchange with its answer."""

    def finished(self, exchange: Exchange, response: Response) -> None:
        """An exchange has its answer, which is about to be sent. Must not raise and must not block."""


class Service:
    """Answers exchanges from the served models.

    A transport makes an `Exchange` when a request's head is complete and calls `open`; unless that has answered it
    already, it reads the body and calls `answer`. `exchange.respond` is called exactly once, on the event loop.

    Attributes:
        served: The loaded models.
    """

    def __init__(self, config: ServeConfig, guards: Sequence[Guard] = (), observers: Sequence[Observer] = ()) -> None:
        self.config = config
        self.served = ServedModels(ModelStore(config.store), config.max_batch)
        self._guards = guards
        self._observers = observers
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-request")
        self._batchers: WeakKeyDictionary[LoadedModel, Batcher] = WeakKeyDictionary()
        self._watcher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load every champion, then follow the store until `stop`."""
        await asyncio.to_thread(self.served.refresh)
        self._watcher = asyncio.create_task(self.served.watch(self.config.poll_seconds))

    async def stop(self) -> None:
        """Stop following the store; call it once every exchange has its answer."""
        if self._watcher is not None:
            self._watcher.cancel()
        self._thread.shutdown()

    def open(self, exchange: Exchange) -> bool:
        """Look at a request's head; refuse it, or let its body be read.

        Returns:
            Whether the body should be read and given to `answer`; False where the refusal was already sent.
        """
        try:
            route = find_route(exchange.path)
            exchange.route, exchange.model = route, route.model
            check_method(route, exchange.method)
            _check_headers(exchange, self.config.max_body_bytes)
            for guard in self._guards:
                guard.admit(exchange)
            if route.model:
                self.served.get(route.model, route.version)
        except RequestError as error:
            self.refuse(exchange, error)
            return False
        return True

    def answer(self, exchange: Exchange, body: bytes) -> None:
        """Answer an exchange that `open` let in."""
        route = exchange.route
        assert route is not None
        if route.kind != "infer":
            self._describe(exchange, route)
        elif len(body) <= _LARGE_BODY_BYTES:
            self.infer(exchange, partial(JsonCall, body))
        else:
            parsed = asyncio.get_running_loop().run_in_executor(self._thread, JsonCall, body)
            parsed.add_done_callback(lambda done: self.infer(exchange, done.result))

    def refuse(self, exchange: Exchange, error: RequestError) -> None:
        """Answer an exchange with why it gets no other answer."""
        exchange.error = type(error).__name__
        violations = error.details.get("violations", ())
        exchange.rules = tuple(violation["rule"] for violation in violations)
        body = orjson.dumps({"error": str(error), **error.details})
        self._finish(exchange, Response(error.status, body, headers=tuple(error.headers)))

    def infer(self, exchange: Exchange, parse: Callable[[], Call]) -> None:
        """Answer an inference request, in the words of whatever protocol it came in.

        Args:
            exchange: Let in by `open`.
            parse: Gives the call, or raises why it cannot be parsed.
        """
        route = exchange.route
        assert route is not None
        try:
            call = parse()
            model = self.served.get(route.model, route.version)
            request = call.read(model.reader)
        except RequestError as error:
            self.refuse(exchange, error)
            return
        exchange.request_id, exchange.rows, exchange.version = request.id or "", request.rows, model.version
        self._batcher(model).submit(request, partial(self._predicted, exchange, call, request))

    def _batcher(self, model: LoadedModel) -> Batcher:
        batcher = self._batchers.get(model)
        if batcher is None:
            batcher = self._batchers[model] = Batcher(model, self._thread, _INLINE_ROWS)
        return batcher

    def _predicted(self, exchange: Exchange, call: Call, request: InferRequest, outcome: Outcome) -> None:
        if isinstance(outcome, Answer):
            written = call.write(request, outcome)
            self._finish(exchange, Response(200, written.body, written.content_type, written.headers))
        elif isinstance(outcome, PredictionError):
            exchange.error = type(outcome).__name__
            body = orjson.dumps({"error": f"the model failed on this request: {outcome}"})
            self._finish(exchange, Response(500, body))
        else:
            self.refuse(exchange, outcome)

    def _describe(self, exchange: Exchange, route: Route) -> None:
        try:
            status, document = self._description(route)
        except RequestError as error:
            self.refuse(exchange, error)
            return
        self._finish(exchange, Response(status, orjson.dumps(document)))

    def _description(self, route: Route) -> tuple[int, dict[str, Any]]:
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

    def _finish(self, exchange: Exchange, response: Response) -> None:
        for guard in self._guards:
            guard.finished(exchange)
        for observer in self._observers:
            observer.finished(exchange, response)
        exchange.respond(response)


def _check_headers(exchange: Exchange, limit: int) -> None:
    for name, value in exchange.headers:
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

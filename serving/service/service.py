"""What the endpoint does with an exchange, the same for every transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Protocol

import orjson

from serving.bundle.store import ModelStore
from serving.config import ServeConfig
from serving.errors import NotFoundError, RequestError
from serving.guard.backlog import Backlog
from serving.guard.gate import Gate
from serving.models.batching import Done
from serving.models.loaded import LoadedModel, Outcome, PredictionError
from serving.models.served import ServedModels
from serving.protocol.answer import Answer
from serving.protocol.call import Call, JsonCall
from serving.protocol.records_call import RecordsCall
from serving.records.request import InferRequest
from serving.service.boundary import FAILED, answered
from serving.service.descriptions import SLOW, Descriptions
from serving.service.exchange import Exchange, Response
from serving.service.headers import check_headers
from serving.service.routes import Route, check_method, find_route
from serving.transports.workers import Worker
from serving.watch.watch import Watch

# A larger body is parsed in a thread, so that health checks and small requests need not wait for it.
_LARGE_BODY_BYTES = 64 * 1024


class Guard(Protocol):
    """Decides about exchanges before their body is read."""

    def admit(self, exchange: Exchange) -> None:
        """Let an exchange in; `exchange.route` is known.

        Raises:
            RequestError: It may not come in.
        """

    def finished(self, exchange: Exchange) -> None:
        """An exchange has its answer, or its client is gone; also called for one that was not let in."""


class Observer(Protocol):
    """Sees every exchange with its answer."""

    def finished(self, exchange: Exchange, response: Response) -> None:
        """An exchange has its answer, which is about to be sent. Must not raise and must not block."""


class Service:
    """Answers exchanges from the served models.

    A transport makes an `Exchange` when a request's head is complete and calls `open`; unless that has answered it
    already, it reads the body and calls `answer`. `exchange.respond` is called exactly once, on the event loop; where
    the client goes away before its body is whole, the transport calls `abandon` instead.

    Args:
        config: The settings.
        guards: Asked after the endpoint's own.
        observers: See every answer.
        worker: Which of the endpoint's processes this is; None for the only one.

    Attributes:
        served: The loaded models.
        draining: Whether the endpoint is about to stop, and so not ready; the process sets it.
    """

    def __init__(
        self,
        config: ServeConfig,
        guards: Sequence[Guard] = (),
        observers: Sequence[Observer] = (),
        worker: Worker | None = None,
    ) -> None:
        self.config = config
        self.draining = False
        gate = Gate(config.limits, config.keys, self._expected_wait)
        self._watch = Watch(config, worker, lambda: self.served.lineups, lambda: gate.in_flight)
        self._descriptions = Descriptions(config, self._watch)
        self.served = ServedModels(
            ModelStore(config.store), config.max_batch, config.batching, config.versions, self._loaded
        )
        self._guards: Sequence[Guard] = (gate, *guards)
        self._observers = observers
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-request")
        self._parsing = Backlog()
        self._watcher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load every champion, then follow the store until `stop`.

        Raises:
            OSError: The access log or the folder of samples cannot be written.
        """
        await self._watch.start()
        await self.served.follow()
        self._watcher = asyncio.create_task(self.served.watch(self.config.poll_seconds))

    async def stop(self) -> None:
        """Stop following the store; call it once every exchange has its answer. What threads still do is left alone."""
        if self._watcher is not None:
            self._watcher.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.served.close()
        await self._watch.stop()

    @answered
    def open(self, exchange: Exchange) -> bool:
        """Look at a request's head; refuse it, or let its body be read.

        Returns:
            Whether the body should be read and given to `answer`; None where the refusal was already sent.
        """
        route = find_route(exchange.path)
        exchange.route, exchange.model = route, route.model
        check_method(route, exchange.method)
        check_headers(exchange, self.config.max_body_bytes)
        for guard in self._guards:
            guard.admit(exchange)
        if route.model:
            self.served.get(route.model, route.version)
        return True

    @answered
    def answer(self, exchange: Exchange, body: bytes) -> None:
        """Answer an exchange that `open` let in."""
        route = exchange.route
        assert route is not None
        exchange.bytes_in, exchange.received = len(body), perf_counter()
        if route.kind == "infer":
            self._parse(exchange, partial(JsonCall, body, exchange.json_length), len(body))
        elif route.kind == "predict":
            self._parse(exchange, partial(RecordsCall, body), len(body))
        else:
            self._describe(exchange, route)

    def _parse(self, exchange: Exchange, parse: Callable[[], Call], size: int) -> None:
        if size <= _LARGE_BODY_BYTES:
            self._infer(exchange, parse)
        else:
            self._parsing.begin(size)
            parsed = asyncio.get_running_loop().run_in_executor(self._thread, parse)
            parsed.add_done_callback(partial(self._parsed, exchange, size))

    @answered
    def _parsed(self, exchange: Exchange, size: int, parsed: asyncio.Future[Call]) -> None:
        self._parsing.end(size)
        self._infer(exchange, parsed.result)

    def abandon(self, exchange: Exchange) -> None:
        """Count an exchange no longer: its client went away before its body was whole."""
        for guard in self._guards:
            guard.finished(exchange)

    @answered
    def refuse(self, exchange: Exchange, error: RequestError) -> None:
        """Answer an exchange with why it gets no other answer."""
        if exchange.visible is not None and isinstance(error, NotFoundError):
            # The usual words name every model, which this key may not know of.
            error = NotFoundError("this model, or this version of it, is not served")
        exchange.error = type(error).__name__
        violations = error.details.get("violations", ())
        exchange.rules = tuple(violation["rule"] for violation in violations)
        body = orjson.dumps({"error": str(error), **error.details})
        self._finish(exchange, Response(error.status, body, headers=tuple(error.headers)))

    @answered
    def fail(self, exchange: Exchange) -> None:
        """Answer an exchange that a defect of the endpoint ended, unless it was answered before."""
        if not exchange.answered:
            exchange.error = "Defect"
            self._finish(exchange, FAILED)

    @answered
    def infer(self, exchange: Exchange, parse: Callable[[], Call]) -> None:
        """Answer an inference request, in the words of whatever protocol it came in.

        Args:
            exchange: Let in by `open`.
            parse: Gives the call, or raises why it cannot be parsed.
        """
        self._infer(exchange, parse)

    def _infer(self, exchange: Exchange, parse: Callable[[], Call]) -> None:
        route = exchange.route
        assert route is not None
        call = parse()
        lineup = self.served.lineup(route.model)
        name = _name(exchange, call) if lineup.splits else ""
        batcher = lineup.pick(route.version, name)
        request = call.read(batcher.model.reader)
        exchange.request_id, exchange.rows, exchange.version = request.id or "", request.rows, batcher.model.version
        exchange.submitted = perf_counter()
        done: Done = partial(self._predicted, exchange, call, request)
        if lineup.shadow is not None and batcher is lineup.champion and route.version is None:
            done = lineup.shadow.following(done, request, call.read, name)
        batcher.submit(request, done)

    def _expected_wait(self, exchange: Exchange) -> float:
        route = exchange.route
        assert route is not None
        wait = self.served.expected_wait(route.model, route.version)
        return wait + self._parsing.seconds if exchange.announced > _LARGE_BODY_BYTES else wait

    @answered
    def _predicted(self, exchange: Exchange, call: Call, request: InferRequest, outcome: Outcome) -> None:
        if isinstance(outcome, Answer):
            exchange.run_began, exchange.run_ended = outcome.run.began, outcome.run.ended
            written = call.write(request, outcome)
            self._finish(exchange, Response(200, written.body, written.content_type, written.headers))
        elif isinstance(outcome, PredictionError):
            exchange.error = type(outcome).__name__
            body = orjson.dumps({"error": f"the model failed on this request: {outcome}"})
            self._finish(exchange, Response(500, body))
        else:
            self.refuse(exchange, outcome)

    def _loaded(self, folder: Path, model: LoadedModel) -> None:
        self._watch.loaded(folder, model)
        self._descriptions.loaded(folder, model)

    def _describe(self, exchange: Exchange, route: Route) -> None:
        ready = self.served.ready and not self.draining
        describe = partial(self._descriptions.answer, exchange, self.served, ready=ready)
        if route.kind in SLOW:
            told = asyncio.get_running_loop().run_in_executor(None, describe)
            told.add_done_callback(lambda done: self._described(exchange, done.result))
        else:
            self._described(exchange, describe)

    @answered
    def _described(self, exchange: Exchange, describe: Callable[[], Response]) -> None:
        self._finish(exchange, describe())

    def _finish(self, exchange: Exchange, response: Response) -> None:
        exchange.answered = True
        try:
            for guard in self._guards:
                guard.finished(exchange)
            self._watch.finished(exchange, response)
            for observer in self._observers:
                observer.finished(exchange, response)
        finally:
            exchange.respond(response)


def _name(exchange: Exchange, call: Call) -> str:
    """Return what a request sticks to a version by: its id, or the header `x-request-id`; empty without either."""
    return call.id or (exchange.header(b"x-request-id") or b"").decode("latin-1")

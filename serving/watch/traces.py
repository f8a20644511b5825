"""OpenTelemetry traces of sampled requests. The libraries are imported where traces are configured."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable
from random import Random
from threading import Thread
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from serving import __version__
from serving.service.exchange import Exchange, Response

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

_LIBRARIES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
# https://www.w3.org/TR/trace-context/#traceparent-header
_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
_FAILED = 500
_VERSION_PART = 5
_STOP_SECONDS = 2.0
_EXPORT_SECONDS = 5
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"})


class TracesConfig(BaseModel):
    """Traces, sent over OTLP with HTTP and protobuf.

    Attributes:
        endpoint: The collector, such as `http://collector:4318`; `/v1/traces` is added. None takes what OpenTelemetry's
            own variables say (`OTEL_EXPORTER_OTLP_ENDPOINT` and those beside it).
        share: Of the requests that come without a `traceparent` header, from 0 to 1; one that comes with it is
            traced if, and only if, the caller traces it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str | None = Field(default=None, pattern=r"^https?://[^/]+")
    share: float = Field(default=0.01, ge=0, le=1)

    @model_validator(mode="after")
    def _needs_libraries(self) -> TracesConfig:
        if not _installed():
            raise ValueError("traces need OpenTelemetry, which is not installed\n  do: pip install 'headrace[tracing]'")
        return self


def traces_of_environment() -> TracesConfig | None:
    """Return traces as OpenTelemetry's variables ask for them, None where they do not.

    Raises:
        ValueError: They do, and OpenTelemetry is not installed.
    """
    return TracesConfig() if any(os.environ.get(name) for name in _VARIABLES) else None


class Traces:
    """Makes spans of finished requests: one of the server's, and one inside it for each part of the work.

    Args:
        config: Where traces go, and how many.
        worker: Which of the processes this is.
        scheme: `http` or `https`.
        seed: Of the choice among requests without a `traceparent`.
    """

    def __init__(self, config: TracesConfig, worker: int, scheme: str = "http", seed: int | None = None) -> None:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415

        self._api = trace
        self._share = config.share
        self._scheme = scheme
        self._random: Callable[[], float] = Random(seed).random  # noqa: S311
        about = {
            "service.name": os.environ.get("OTEL_SERVICE_NAME", "headrace"),
            "service.version": __version__,
            "service.instance.id": str(worker),
        }
        url = None if config.endpoint is None else config.endpoint.rstrip("/") + "/v1/traces"
        # What is traced is decided here, before a span costs anything.
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=Resource.create(about), shutdown_on_exit=False)
        self._exporter: Any = OTLPSpanExporter(endpoint=url, timeout=_EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("headrace", __version__)

    def finished(self, exchange: Exchange, response: Response) -> None:
        """Make the spans of one exchange, if it is sampled; they are sent from a thread."""
        header = exchange.header(b"traceparent")
        parent = None if header is None else _PARENT.fullmatch(header)
        if parent is None:
            if self._random() < self._share:
                self._record(exchange, response, None)
        elif int(parent[3], 16) & _SAMPLED:
            self._record(exchange, response, self._context(exchange, parent))

    def stop(self) -> None:
        """Send what is left. Blocks, for some seconds at most."""
        # The library waits up to half a minute for a collector that does not answer.
        stopping = Thread(target=self._provider.shutdown, name="traces-stop", daemon=True)
        stopping.start()
        stopping.join(_STOP_SECONDS)
        if stopping.is_alive():
            self._exporter.shutdown()
            stopping.join(_STOP_SECONDS)

    def _context(self, exchange: Exchange, parent: re.Match[bytes]) -> Context | None:
        api = self._api
        state = exchange.header(b"tracestate")
        above = api.SpanContext(
            int(parent[1], 16),
            int(parent[2], 16),
            is_remote=True,
            trace_flags=api.TraceFlags(_SAMPLED),
            trace_state=api.TraceState.from_header([state.decode("latin-1")]) if state else None,
        )
        # All zeros are no ids; the request is traced as if it had come without.
        return api.set_span_in_context(api.NonRecordingSpan(above)) if above.is_valid else None

    def _record(self, exchange: Exchange, response: Response, context: Context | None) -> None:
        api = self._api
        ended = perf_counter()
        # Times were taken from a clock that only grows; this is its distance to the time of day, in nanoseconds.
        distance = time_ns() - int(ended * 1e9)
        span = self._tracer.start_span(
            _name(exchange),
            context,
            api.SpanKind.SERVER,
            _attributes(exchange, response, self._scheme),
            start_time=int(exchange.started * 1e9) + distance,
        )
        if response.status >= _FAILED:
            span.set_status(api.StatusCode.ERROR)
        self._record_parts(exchange, span, ended, distance)
        span.end(int(ended * 1e9) + distance)

    def _record_parts(self, exchange: Exchange, span: Span, ended: float, distance: int) -> None:
        if not exchange.run_began:
            return
        inside = self._api.set_span_in_context(span)
        marks = (exchange.started, exchange.received, exchange.submitted, exchange.run_began, exchange.run_ended, ended)
        for place, name in enumerate(("receive", "decode", "queue", "run", "encode")):
            part = self._tracer.start_span(name, inside, start_time=int(marks[place] * 1e9) + distance)
            part.end(int(marks[place + 1] * 1e9) + distance)


def _name(exchange: Exchange) -> str:
    """Return the span's name: the method and the path's pattern, which does not hold what clients invent."""
    method = exchange.method if exchange.method in _METHODS else "HTTP"
    return method if exchange.route is None else f"{method} {_pattern(exchange)}"


def _pattern(exchange: Exchange) -> str:
    """Return the path with the model's name and version replaced by what they are."""
    route = exchange.route
    if route is None or not route.model:
        return exchange.path
    parts = exchange.path.split("/")
    # /v2/models/NAME/versions/VERSION/..., /v1/models/NAME:predict
    parts[3] = "{model}" + parts[3][len(route.model) :]
    if route.version is not None and len(parts) > _VERSION_PART:
        parts[_VERSION_PART] = "{version}" + parts[_VERSION_PART][len(route.version) :]
    return "/".join(parts)


def _attributes(exchange: Exchange, response: Response, scheme: str) -> dict[str, Any]:
    """Return the span's attributes, named as OpenTelemetry's conventions for HTTP and RPC have it."""
    attributes: dict[str, Any] = {
        "http.request.method": exchange.method if exchange.method in _METHODS else "_OTHER",
        "http.response.status_code": response.status,
        "http.request.body.size": exchange.bytes_in,
        "http.response.body.size": len(response.body),
        "url.path": exchange.path[:256],
        "client.address": exchange.client,
        "headrace.model": exchange.model[:256],
        "headrace.version": exchange.version,
        "headrace.rows": exchange.rows,
    }
    if exchange.route is not None:
        attributes["http.route"] = _pattern(exchange)
    if exchange.protocol == "grpc":
        attributes["rpc.system"] = "grpc"
    else:
        attributes["url.scheme"] = scheme
    if exchange.request_id:
        attributes["headrace.request_id"] = exchange.request_id[:256]
    if exchange.error:
        attributes["error.type"] = exchange.error
        attributes["headrace.rules"] = sorted(set(exchange.rules))
    return attributes


def _installed() -> bool:
    for name in _LIBRARIES:
        try:
            if importlib.util.find_spec(name) is None:
                return False
        except ModuleNotFoundError:
            # A package above it is missing.
            return False
    return True

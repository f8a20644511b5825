"""Traces, received by a small collector that speaks OTLP over HTTP."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Thread
from time import perf_counter
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import ValidationError

from serving.service.exchange import Exchange, Response
from serving.service.routes import Route
from serving.watch import traces
from serving.watch.traces import Traces, TracesConfig, traces_of_environment
from tests.serving.watch.watched import INFER, OK, finished

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    """Yield a collector's address and the resource spans that it has received."""
    received: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            received.extend(ExportTraceServiceRequest.FromString(body).resource_spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()


def sent(config: dict[str, Any], *exchanges: tuple[Exchange, Response]) -> tuple[list[Any], dict[str, str]]:
    """Trace exchanges; return the spans that a collector got, and what they say of the process."""
    with collector() as (url, received):
        tracing = Traces(TracesConfig(endpoint=url, **config), worker=2, seed=1)
        for exchange, response in exchanges:
            tracing.finished(exchange, response)
        tracing.stop()
    spans = [span for each in received for scope in each.scope_spans for span in scope.spans]
    about = {pair.key: pair.value.string_value for each in received for pair in each.resource.attributes}
    return spans, about


def answered(**learned: Any) -> Exchange:
    """Return an exchange that went all the way through a model."""
    exchange = finished(route=Route("infer", "small"), model="small", version="3", rows=4, **learned)
    now = perf_counter()
    exchange.started = now - 0.006
    exchange.received, exchange.submitted = now - 0.005, now - 0.004
    exchange.run_began, exchange.run_ended = now - 0.003, now - 0.001
    return exchange


def attributes(span: Any) -> dict[str, Any]:
    """Return a span's attributes, lists left out."""
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}


def test_a_request_has_a_span_and_one_inside_for_each_part() -> None:
    header = (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())
    exchange = answered(headers=(header, (b"tracestate", b"vendor=1")), request_id="r")
    spans, about = sent({"share": 0.0}, (exchange, OK))
    server, *parts = sorted(spans, key=lambda span: span.name != "POST /v2/models/{model}/infer")
    assert (server.trace_id.hex(), server.parent_span_id.hex(), server.trace_state) == (TRACE, SPAN, "vendor=1")
    assert server.kind == 2
    assert server.status.code == 0
    found = attributes(server)
    assert found["http.request.method"] == "POST"
    assert found["http.response.status_code"] == 200
    assert found["http.route"] == "/v2/models/{model}/infer"
    assert (found["url.path"], found["url.scheme"], found["client.address"]) == (INFER, "http", "10.0.0.1")
    assert (found["headrace.version"], found["headrace.rows"], found["headrace.request_id"]) == ("3", 4, "r")
    parts.sort(key=lambda span: span.start_time_unix_nano)
    assert [span.name for span in parts] == ["receive", "decode", "queue", "run", "encode"]
    assert {span.parent_span_id for span in parts} == {server.span_id}
    assert server.start_time_unix_nano == parts[0].start_time_unix_nano
    assert server.end_time_unix_nano == parts[-1].end_time_unix_nano
    assert all(one.end_time_unix_nano == two.start_time_unix_nano for one, two in pairwise(parts))
    assert about["service.name"] == "headrace"
    assert about["service.instance.id"] == "2"


def test_errors_and_paths_that_name_versions() -> None:
    versioned = Route("infer", "v2", "1")
    broken = finished("/v2/models/v2/versions/1/infer", route=versioned, model="v2", error="PredictionError")
    refused = finished(route=Route("infer", "small"), error="ContractViolationError", rules=("a.enum",))
    unknown = finished("/nowhere", error="NotFoundError", method="BREW")
    spans, _ = sent({"share": 1.0}, (broken, Response(500, b"")), (refused, Response(400, b"")), (unknown, OK))
    first, second, third = spans
    assert first.name == "POST /v2/models/{model}/versions/{version}/infer"
    assert (first.status.code, attributes(first)["error.type"]) == (2, "PredictionError")
    assert (second.status.code, attributes(second)["error.type"]) == (0, "ContractViolationError")
    assert (third.name, attributes(third)["http.request.method"]) == ("HTTP", "_OTHER")


@pytest.mark.parametrize(
    ("header", "share", "count"),
    [
        (f"00-{TRACE}-{SPAN}-00", 1.0, 0),
        (f"00-{TRACE}-{SPAN}-01", 0.0, 1),
        (f"01-{TRACE}-{SPAN}-03-later", 0.0, 1),
        (f"ff-{TRACE}-{SPAN}-01", 0.0, 0),
        (f"00-{TRACE}-{SPAN}", 0.0, 0),
        ("", 0.0, 0),
        (f"00-{'0' * 32}-{SPAN}-01", 0.0, 1),
    ],
)
def test_the_caller_decides_and_otherwise_the_share(header: str, share: float, count: int) -> None:
    exchange = finished(headers=((b"traceparent", header.encode()),))
    spans, _ = sent({"share": share}, (exchange, OK))
    assert len(spans) == count
    if "0" * 32 in header:
        assert spans[0].parent_span_id == b""


def test_a_share_of_the_others_is_traced() -> None:
    spans, _ = sent({"share": 0.25}, *((finished(), OK) for _ in range(400)))
    assert 60 < len(spans) < 140


def test_opentelemetrys_own_variables_turn_traces_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert traces_of_environment() is None
    with collector() as (url, received):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "mill")
        config = traces_of_environment()
        assert config is not None
        tracing = Traces(config.model_copy(update={"share": 1.0}), worker=0)
        tracing.finished(finished(), OK)
        tracing.stop()
    names = [pair.value.string_value for each in received for pair in each.resource.attributes]
    assert "mill" in names


def test_without_opentelemetry_the_config_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "_LIBRARIES", ("a_library.that_is_not.there",))
    with pytest.raises(ValidationError, match=r"pip install 'headrace\[tracing\]'"):
        TracesConfig()


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector", "http://"])
def test_an_endpoint_that_is_no_http_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="endpoint"):
        TracesConfig(endpoint=endpoint)

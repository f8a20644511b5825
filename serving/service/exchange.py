"""One request and its answer, on the way from a transport through the service and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serving.service.routes import Route

Headers = Sequence[tuple[bytes, bytes]]
JSON = b"application/json"


# Not frozen: that alone would cost half a microsecond for each request.
@dataclass(slots=True)
class Response:
    """What goes back to the client; nothing of it changes.

    Attributes:
        headers: Further headers, beside content-type and content-length.
    """

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: Headers = ()


class Exchange:
    """One request and what became of it; each part of the endpoint fills in what it learns.

    Attributes:
        method: Of HTTP; gRPC calls count as `POST`.
        path: Decoded.
        query: As sent, without the question mark.
        headers: Names in lower case.
        client: The peer's address, empty where the transport knows none.
        respond: Takes the answer, once; the transport's own.
        started: `time.perf_counter()` when the request's head was complete.
        protocol: `http` or `grpc`.
        bytes_in: The length of the body.
        received: `time.perf_counter()` when the body was there; 0 until then, as for the next three.
        submitted: When the request was read and its model had it.
        run_began: When the run began that answered it.
        run_ended: When that run ended.
        route: What the path asks for; None until the service knows.
        json_length: How many bytes of the body are JSON, where binary tensors may follow; None where all are.
        announced: The length of the body as the head says it; 0 where it does not.
        credentials: What the client sent as its API key; None until the headers were looked at, and for none.
        key: The id of the API key, empty where none was needed.
        visible: The models that the key counts for; None for all.
        admitted: Whether the guard counts it as under way.
        answered: Whether it has its answer.
        request_id: The client's own name for the request.
        model: The model asked for, empty where the path names none.
        version: The version that answered, empty until one did.
        rows: The batch size, 0 until it is known.
        error: The kind of the refusal (its class's name), empty while there is none.
        rules: Ids of the contract's rules that the request breaks.
    """

    __slots__ = (
        "admitted",
        "announced",
        "answered",
        "bytes_in",
        "client",
        "credentials",
        "error",
        "headers",
        "json_length",
        "key",
        "method",
        "model",
        "path",
        "protocol",
        "query",
        "received",
        "request_id",
        "respond",
        "route",
        "rows",
        "rules",
        "run_began",
        "run_ended",
        "started",
        "submitted",
        "version",
        "visible",
    )

    def __init__(
        self, method: str, path: str, query: str, headers: Headers, client: str, respond: Callable[[Response], None]
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.client = client
        self.respond = respond
        self.started = time.perf_counter()
        self.protocol = "http"
        self.bytes_in = 0
        self.received = self.submitted = self.run_began = self.run_ended = 0.0
        self.route: Route | None = None
        self.json_length: int | None = None
        self.announced = 0
        self.credentials: bytes | None = None
        self.key = ""
        self.visible: frozenset[str] | None = None
        self.admitted = False
        self.answered = False
        self.request_id = ""
        self.model = ""
        self.version = ""
        self.rows = 0
        self.error = ""
        self.rules: Sequence[str] = ()

    def header(self, name: bytes) -> bytes | None:
        """Return the first header of that name, which is in lower case, or None."""
        for found, value in self.headers:
            if found == name:
                return value
        return None

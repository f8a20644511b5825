"""One request and its answer, on the way from a transport through the service and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serving.service.routes import Route

Headers = Sequence[tuple[bytes, bytes]]
JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back to the client.

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
        route: What the path asks for; None until the service knows.
        key: The id of the API key, empty where none was needed.
        request_id: The client's own name for the request.
        model: The model asked for, empty where the path names none.
        version: The version that answered, empty until one did.
        rows: The batch size, 0 until it is known.
        error: The kind of the refusal (its class's name), empty while there is none.
        rules: Ids of the contract's rules that the request breaks.
    """

    __slots__ = (
        "client",
        "error",
        "headers",
        "key",
        "method",
        "model",
        "path",
        "query",
        "request_id",
        "respond",
        "route",
        "rows",
        "rules",
        "started",
        "version",
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
        self.route: Route | None = None
        self.key = ""
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

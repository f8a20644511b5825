"""One inference call in the words of its protocol: parsed once, read by the version that answers, answered in kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from serving.protocol.answer import Answer, encode
from serving.protocol.reader import RequestReader, parse_document
from serving.records.request import InferRequest


class Written(NamedTuple):
    """An answer's bytes, and the headers that say how to read them."""

    body: bytes
    content_type: bytes = b"application/json"
    headers: Sequence[tuple[bytes, bytes]] = ()


class Call(Protocol):
    """A parsed call. Its `id` decides which version answers, so it is known before any version reads it."""

    @property
    def id(self) -> str | None:
        """The client's own name for the request, if it gave one."""

    def read(self, reader: RequestReader) -> InferRequest:
        """Return the request, checked by the reader of the version that answers.

        Raises:
            BadRequestError: It is not a request that this model takes.
        """

    def write(self, request: InferRequest, answer: Answer) -> Written:
        """Return the answer in the call's own protocol."""


class JsonCall:
    """A call over HTTP.

    Args:
        body: The JSON text.

    Raises:
        BadRequestError: It is no JSON object, or its `id` is no string.
    """

    def __init__(self, body: bytes) -> None:
        self._document = parse_document(body)
        self.id: str | None = self._document.get("id")

    def read(self, reader: RequestReader) -> InferRequest:
        """Return the request, checked by that reader."""
        return reader.read(self._document)

    def write(self, request: InferRequest, answer: Answer) -> Written:
        """Return the answer's JSON."""
        return Written(encode(request, answer))

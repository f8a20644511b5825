"""One inference call in the words of its protocol: parsed once, read by the version that answers, answered in kind."""

from __future__ import annotations

from typing import Protocol

from serving.protocol.answer import Answer, Written, encode
from serving.protocol.reader import RequestReader, parse_body
from serving.records.request import InferRequest


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
        body: The JSON text, and binary tensors behind it if there are any.
        json_length: How many bytes the JSON has, as the header `Inference-Header-Content-Length` says; None for all.

    Raises:
        BadRequestError: It is no JSON object, or shorter than the header says.
    """

    def __init__(self, body: bytes, json_length: int | None = None) -> None:
        self._document, self._tail = parse_body(body, json_length)
        identity = self._document.get("id")
        # Reading the request refuses an id that is no string.
        self.id: str | None = identity if type(identity) is str else None

    def read(self, reader: RequestReader) -> InferRequest:
        """Return the request, checked by that reader."""
        return reader.read(self._document, self._tail)

    def write(self, request: InferRequest, answer: Answer) -> Written:
        """Return the answer's JSON, and the binary tensors that were asked for behind it."""
        return encode(request, answer)

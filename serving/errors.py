"""Requests that get no prediction: each carries its HTTP status and says what was expected and what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, TypeVar

_Error = TypeVar("_Error", bound=BaseException)


class Violation(TypedDict):
    """One value of a request that breaks a rule of the contract; `row` counts from 0."""

    column: str
    rule: str
    row: int
    expected: str
    got: Any


class RequestError(ValueError):
    """The request is the client's to mend.

    Attributes:
        status: The HTTP status of the answer.
        headers: Further headers of the answer.
        details: Further members of the answer's JSON object, beside `error`.
    """

    status = 400
    headers: Sequence[tuple[bytes, bytes]] = ()
    details: Mapping[str, Any] = {}


def without_frames(error: _Error) -> _Error:
    """Make an error a mere value, which no traceback and no cause follow; return it.

    A traceback's frames hold whatever was known where the error was raised, and those that called: the request, and
    soon also the list or the future that keeps the error. That cycle would stay, request and all, until the next
    collection of garbage.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class BadRequestError(RequestError):
    """The request's content is wrong."""


class ContractViolationError(BadRequestError):
    """Values of the request break the model's contract."""

    def __init__(self, model: str, count: int, violations: Sequence[Violation]) -> None:
        """Describe all violations by the first few.

        Args:
            model: The model's name.
            count: How many values break a rule.
            violations: The first of them; at most five.
        """
        shown = "; ".join(
            f"column {v['column']!r}, row {v['row']}: rule {v['rule']!r}: expected {v['expected']}, got {v['got']!r}"
            for v in violations
        )
        first = f" (the first {len(violations)} are listed)" if count > len(violations) else ""
        values = "1 value breaks" if count == 1 else f"{count} values break"
        super().__init__(f"{values} the contract of model {model!r}{first}: {shown}")
        self.details = {"violations": list(violations)}


class BodyLengthError(BadRequestError):
    """The length of the body is no number; where it ends cannot be known, so the connection is closed."""

    headers = ((b"connection", b"close"),)

    def __init__(self, length: bytes) -> None:
        super().__init__(f"content-length: expected a number of bytes, got {length.decode('latin-1'):.40}")


class NotFoundError(RequestError):
    """Nothing is served under this path."""

    status = 404


class MethodNotAllowedError(RequestError):
    """The path exists, for other methods."""

    status = 405

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"method {method:.20} is not allowed here; allowed: {allowed}")
        self.headers = ((b"allow", allowed.encode()),)


class TooLargeError(RequestError):
    """The body is over the limit; the connection is closed rather than read to its end."""

    status = 413
    headers = ((b"connection", b"close"),)

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes; send smaller batches")


class EncodingError(RequestError):
    """The body is compressed; a small body could unpack to any size, so none is unpacked."""

    status = 415
    headers = ((b"accept-encoding", b"identity"),)

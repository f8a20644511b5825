"""Requests that a transport refuses by itself, before the service sees them; the connection is closed after each."""

from __future__ import annotations

from serving.errors import RequestError
from serving.service.exchange import Response

LATE = Response(503, b'{"error":"there is no answer within the time limit"}', headers=((b"retry-after", b"1"),))


class RequestTimeoutError(RequestError):
    """The client took too long to send its request."""

    status = 408


class TargetTooLongError(RequestError):
    """The request's target is over the limit."""

    status = 414


class HeadTooLargeError(RequestError):
    """The request's head, or what stands between the parts of its body, is over the limit."""

    status = 431


class BusyError(RequestError):
    """The endpoint holds as much as it may."""

    status = 503
    headers = ((b"retry-after", b"1"),)

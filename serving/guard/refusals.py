"""Requests that the guard does not let in."""

from __future__ import annotations

import math

from serving.errors import RequestError


class UnauthorizedError(RequestError):
    """No key came, or none that counts."""

    status = 401

    def __init__(self, message: str, *, presented: bool) -> None:
        """Ask for a key as RFC 6750 says.

        Args:
            message: What is wrong.
            presented: Whether a key came at all.
        """
        super().__init__(f"{message}; send `Authorization: Bearer KEY` or `X-API-Key: KEY`")
        challenge = b'Bearer realm="headrace"' + (b', error="invalid_token"' if presented else b"")
        self.headers = ((b"www-authenticate", challenge),)


class ForbiddenError(RequestError):
    """The key counts, but not for this. The answer is the same whether or not the model exists."""

    status = 403


class RetryLaterError(RequestError):
    """The same request may be let in later.

    Attributes:
        seconds: After how long it is worth another try.
    """

    def __init__(self, message: str, seconds: float) -> None:
        whole = max(1, math.ceil(min(seconds, 3600.0)))
        super().__init__(f"{message}; retry after {whole} s")
        self.seconds = seconds
        self.headers = ((b"retry-after", str(whole).encode()),)


class RateLimitedError(RetryLaterError):
    """One client asks for more than its share."""

    status = 429


class OverloadedError(RetryLaterError):
    """The endpoint has more to do than it can do in time."""

    status = 503

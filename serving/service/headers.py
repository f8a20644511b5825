"""The headers of a request that the endpoint looks at, found in one pass."""

from __future__ import annotations

from serving.errors import BodyLengthError, EncodingError, TooLargeError
from serving.protocol.binary import header_length
from serving.service.exchange import Exchange

_LOOKED_AT = frozenset(
    {b"content-length", b"content-encoding", b"authorization", b"x-api-key", b"inference-header-content-length"}
)
_MOST_DIGITS = 18


def check_headers(exchange: Exchange, limit: int) -> None:
    """Note what the headers say of the body and of who asks.

    Args:
        exchange: Takes `announced`, `credentials` and `json_length`.
        limit: The largest body, in bytes.

    Raises:
        BadRequestError: A length is no number.
        TooLargeError: The body is over the limit.
        EncodingError: The body is compressed.
    """
    for name, value in exchange.headers:
        if name not in _LOOKED_AT:
            continue
        if name == b"content-length":
            if not value.isdigit() or len(value) > _MOST_DIGITS:
                raise BodyLengthError(value)
            exchange.announced = int(value)
            if exchange.announced > limit:
                raise TooLargeError(limit)
        elif name == b"content-encoding":
            if value.lower() != b"identity":
                raise EncodingError(
                    f"a body of content-encoding {value.decode('latin-1'):.40} is not accepted; send it uncompressed"
                )
        elif name == b"x-api-key" or (name == b"authorization" and exchange.credentials is None):
            exchange.credentials = value
        elif name == b"inference-header-content-length":
            exchange.json_length = header_length(value)

"""What gRPC's library logs by itself."""

from __future__ import annotations

import logging

LOGGER = "grpc._cython.cygrpc"
_LEFT = "ExecuteBatchError"


def is_failure(record: logging.LogRecord) -> bool:
    """Return whether a record tells of a failure of the endpoint: not of a client that left while it was answered."""
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__name__ != _LEFT

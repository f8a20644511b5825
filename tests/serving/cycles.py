"""What is left of requests that have their answer, for the collector of garbage to find."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import RequestError
from serving.models.loaded import PredictionError
from serving.records.request import InferRequest
from serving.service.exchange import Exchange

_OF_REQUESTS = (RequestError, PredictionError, Exchange, InferRequest)


@contextmanager
def left_in_cycles() -> Iterator[list[str]]:
    """Yield a list that is filled at the end with the types of what requests left unreachable and yet not freed."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += [type(each).__name__ for each in gc.garbage if isinstance(each, _OF_REQUESTS)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()

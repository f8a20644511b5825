"""The one place where a defect of the endpoint itself still becomes an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar, TypeVarTuple

from serving.errors import RequestError, without_frames
from serving.service.exchange import Exchange, Response

logger = logging.getLogger(__name__)

FAILED = Response(500, b'{"error":"the endpoint failed on this request; its log says why"}')


class Answering(Protocol):
    """What the boundary needs of a service."""

    def refuse(self, exchange: Exchange, error: RequestError) -> object:
        """Answer an exchange with why it gets no other answer."""

    def fail(self, exchange: Exchange) -> object:
        """Answer an exchange with `FAILED`, unless it was answered before."""


_Service = TypeVar("_Service", bound=Answering)
_Rest = TypeVarTuple("_Rest")
_Result = TypeVar("_Result")


def answered(
    step: Callable[[_Service, Exchange, *_Rest], _Result],
) -> Callable[[_Service, Exchange, *_Rest], _Result | None]:
    """Let whatever a step of a service raises end in one answer to the exchange that it is about.

    A `RequestError` is the client's to know. Anything else is a defect of ours: the client hears 500 and no more, the
    log has the traceback, and neither the event loop nor the requests of the same batch see it.

    Returns:
        The step; it returns None where it raised.
    """

    @wraps(step)
    def bounded(service: _Service, exchange: Exchange, *rest: *_Rest) -> _Result | None:
        try:
            return step(service, exchange, *rest)
        except RequestError as error:
            service.refuse(exchange, without_frames(error))
        # Whatever it is: a client that waits for ever and a slot that is never free again are worse than an answer of
        # 500, and the traceback is in the log.
        except Exception:
            logger.exception("failed on a request for %.200r", exchange.path)
            service.fail(exchange)
        return None

    return bounded

"""What a run says reaches its log in the Prefect UI, from whatever thread and with whatever settings it was started."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import TextIO

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging.handlers import APILogHandler

_ROOMS = ("data_contracts", "pipelines", "tasks")

_logger = logging.getLogger(__name__)


class _RunLog(APILogHandler):
    """Sends records to the log of the run in which it was made, also those of threads that know of no run.

    Args:
        everything: Prefect's own handler is not there; it sends what is logged inside a run, and nothing else.
    """

    def __init__(self, *, everything: bool) -> None:
        super().__init__(logging.INFO)
        self._run = copy_context()
        self._everything = everything

    def emit(self, record: logging.LogRecord) -> None:
        """Send it, unless Prefect's own handler does."""
        if FlowRunContext.get() is None and TaskRunContext.get() is None:
            # A context can be entered by one thread at a time, its copy by another.
            self._run.copy().run(super().emit, record)
        elif self._everything:
            super().emit(record)


@contextmanager
def run_log() -> Iterator[None]:
    """Send all that Headrace logs inside the block, and Python's warnings, to the log of the flow run it is in."""
    with ExitStack() as stack:
        for room in _ROOMS:
            stack.enter_context(_sent(logging.getLogger(room)))
        stack.enter_context(_warnings_logged())
        yield


@contextmanager
def _sent(logger: logging.Logger) -> Iterator[None]:
    handler = _RunLog(everything=not any(isinstance(each, APILogHandler) for each in logger.handlers))
    level = logger.level
    # A deployment's process has Python's own level, which is for warnings only.
    logger.setLevel(min(logger.getEffectiveLevel(), logging.INFO))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _warnings_logged() -> Iterator[None]:
    """Log warnings in one line each; Python's own filters say which of them there are."""
    before = warnings.showwarning

    def log(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG001
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        _logger.warning("%s: %s (%s:%d)", category.__name__, message, Path(filename).name, lineno)

    warnings.showwarning = log
    try:
        yield
    finally:
        warnings.showwarning = before

"""What the worker processes of a Dask cluster log is logged here too, with the worker's name.

A plugin of Dask's installs a handler on every worker, also on one that comes later or is started again after it was
lost. It sends each record to the scheduler as an event, and clients get their events.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from dask.distributed import Client as DaskClient
from dask.distributed import Worker, WorkerPlugin

# Of Headrace's own code everything; of libraries only what needs attention.
_OWN = ("data_contracts", "tasks")
# The last records travel while the work's results do, not before them.
_LAST_RECORDS_SECONDS = 0.1

_logger = logging.getLogger(__name__)


class _Sending(logging.Handler):
    """Sends records as events; the text is made here, for a record's arguments may not travel."""

    def __init__(self, worker: Worker, topic: str, level: int) -> None:
        super().__init__(level)
        self._worker = worker
        self._topic = topic

    def emit(self, record: logging.LogRecord) -> None:
        said = {"name": str(self._worker.name), "level": record.levelno, "text": self.format(record)}
        self._worker.log_event(self._topic, said)


class _WorkerLogs(WorkerPlugin):  # type: ignore[misc]  # Dask has no types here
    """Installs the handlers on a worker for as long as the plugin is registered."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._home = _this_process()
        self._installed: list[tuple[logging.Logger, logging.Handler, int]] = []

    def setup(self, worker: Worker) -> None:
        """Begin to send. What workers log that are threads of the client's process is there already."""
        if _this_process() == self._home:
            return
        for name in _OWN:
            self._install(logging.getLogger(name), _Sending(worker, self._topic, logging.INFO))
        others = _Sending(worker, self._topic, logging.WARNING)
        others.addFilter(lambda record: record.name.partition(".")[0] not in _OWN)
        self._install(logging.getLogger(), others)

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002
        """Stop sending."""
        for logger, handler, level in self._installed:
            logger.removeHandler(handler)
            logger.setLevel(level)

    def _install(self, logger: logging.Logger, handler: logging.Handler) -> None:
        self._installed.append((logger, handler, logger.level))
        logger.addHandler(handler)
        if logger.getEffectiveLevel() > handler.level:
            logger.setLevel(handler.level)


def _this_process() -> tuple[str, int]:
    return socket.gethostname(), os.getpid()


@contextmanager
def worker_logs(client: DaskClient) -> Iterator[None]:
    """Log here, inside the block, what the cluster's workers log.

    The workers of a cluster that several runs share tell all of them what they log.

    Args:
        client: The client.
    """
    topic = f"headrace-logs-{uuid4().hex}"
    client.subscribe_topic(topic, _log)
    client.register_plugin(_WorkerLogs(topic), name=topic)
    try:
        yield
    finally:
        if client.status == "running":
            time.sleep(_LAST_RECORDS_SECONDS)
            client.unsubscribe_topic(topic)
            client.unregister_worker_plugin(topic)


def _log(event: tuple[float, Mapping[str, Any]]) -> None:
    _, said = event
    _logger.log(said["level"], "worker %s: %s", said["name"], said["text"])

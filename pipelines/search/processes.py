"""Processes that try at the same time as this one.

Processes, not threads: training sets the random states and the threads of its whole process. They are started once for
a search and not for each trial, because the imports take seconds. What they share is the database of the trials, the
results of finished pieces, and this process's Prefect server.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from prefect.client.orchestration import get_client

from pipelines.search.study import Place
from pipelines.search.trials import Asked

_logger = logging.getLogger(__name__)


@contextmanager
def beside(asked: Asked, count: int) -> Iterator[None]:
    """Run so many processes that try; leaving the block waits for them, leaving it by an error ends them."""
    started = [_start(asked) for _ in range(count)]
    try:
        yield
        for process in started:
            status = process.wait()
            if status:
                _logger.warning("a process that tried ended with status %d; what it had begun is tried again", status)
    finally:
        for process in started:
            process.kill()
            process.wait()


def _start(asked: Asked) -> subprocess.Popen[bytes]:
    with get_client(sync_client=True) as client:
        environment = {**os.environ, "PREFECT_API_URL": str(client.api_url)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.search.worker"], stdin=subprocess.PIPE, env=environment
    )
    assert process.stdin is not None
    told = asdict(asked) | {"place": asdict(asked.place) | {"lock": str(asked.place.lock)}}
    # Not as an argument, which everybody on the machine can read: the URL may hold a password.
    process.stdin.write(json.dumps(told).encode() + b"\n")
    process.stdin.flush()
    return process


def told(line: str) -> Asked:
    """Return what `beside` has told a process."""
    value = json.loads(line)
    place = Place(value["place"]["url"], value["place"]["study"], Path(value["place"]["lock"]))
    return Asked(**{**value, "place": place})

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator

import pytest

from tasks.dask_cluster import Cluster, start_cluster

WORKERS = 2


def talk(number: int) -> int:
    logging.getLogger("tasks.somewhere").info("partition %d", number)
    logging.getLogger("somebody.else").info("chatter")
    logging.getLogger("somebody.else").warning("memory is short at %d", number)
    return os.getpid()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with start_cluster(WORKERS, 1) as cluster:
        yield cluster


def texts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return sorted(record.getMessage() for record in caplog.records if record.name == "tasks.worker_logs")


def wait_for(caplog: pytest.LogCaptureFixture, count: int) -> list[str]:
    deadline = time.monotonic() + 20
    while len(texts(caplog)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return texts(caplog)


@pytest.mark.integration
def test_what_workers_log_is_logged_here_with_their_names(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tasks"):
        cluster.map(talk, range(4), lambda amount=1: None)
        said = wait_for(caplog, 8)
    plain = sorted(text.partition(": ")[2] for text in said)
    assert plain == sorted([f"partition {n}" for n in range(4)] + [f"memory is short at {n}" for n in range(4)])
    assert {text.partition(": ")[0] for text in said} <= {"worker 0", "worker 1"}


@pytest.mark.integration
def test_a_worker_that_is_started_again_is_heard_too(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    (before,) = set(cluster.map(talk, [0], lambda amount=1: None))
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 60
    heard: set[int] = set()
    with caplog.at_level(logging.INFO, "tasks"):
        while len(heard - {before}) < WORKERS and time.monotonic() < deadline:
            caplog.clear()
            heard |= set(cluster.map(talk, range(8), lambda amount=1: None))
        assert len(wait_for(caplog, 16)) == 16

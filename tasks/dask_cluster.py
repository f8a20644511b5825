"""Data work on a Dask cluster: one that is there, or worker processes of this machine."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, TypeVar

import dask
from dask.distributed import Client as DaskClient
from dask.distributed import Future, LocalCluster
from distributed.utils import LoopRunner

from tasks.cluster import Running
from tasks.errors import ClusterError, ConfigError
from tasks.merging import joined_in_tree
from tasks.progress import Advance
from tasks.worker_logs import worker_logs

if TYPE_CHECKING:
    from tornado.ioloop import IOLoop

Item = TypeVar("Item")
Result = TypeVar("Result")

# Enough queued work to keep every thread busy while the client handles a finished partition, and no more: what is
# queued but not started costs only its arguments, what is finished but not fetched costs its result.
_IN_FLIGHT_PER_THREAD = 3
_CONNECT_TIMEOUT = "10s"
# Some times what Dask lets pass between two messages.
_LAST_MESSAGES_SECONDS = 0.02
# Left to itself, Dask serves its state to the whole network on port 8787, and warns where that is taken.
_PRIVATE = "127.0.0.1:0"
_QUIET = {
    # Dask's own profiler looks at every thread a hundred times a second.
    "distributed.worker.profile.enabled": False,
    # What only its dashboard would show is measured as seldom as may be.
    "distributed.admin.system-monitor.interval": "1m",
    "distributed.admin.tick.interval": "1s",
}


class Cluster:
    """A `tasks.engine.Client` of a cluster."""

    def __init__(self, client: DaskClient) -> None:
        self._client = client

    @property
    def address(self) -> str | None:
        """The scheduler's address."""
        return str(self._client.scheduler.address)

    @property
    def thread_memory(self) -> int | None:
        """Bytes of memory for each thread of the worker that has least; None where no worker has a limit.

        Dask takes the machine's memory or the container's limit, whichever is less, unless a worker was told otherwise.
        """
        workers = self._client.scheduler_info()["workers"].values()
        shares = [worker["memory_limit"] // max(1, worker["nthreads"]) for worker in workers if worker["memory_limit"]]
        return min(shares, default=None)

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], advance: Advance) -> list[Result]:
        """See `tasks.engine.Client`."""
        return list(self._ordered_results(function, items, advance))

    def merge(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        merge: Callable[[Result, Result], Result],
        advance: Advance,
    ) -> Result:
        """See `tasks.engine.Client`; the results are merged here."""
        return joined_in_tree(self._ordered_results(function, items, advance), merge)

    def _ordered_results(
        self, function: Callable[[Item], Result], items: Sequence[Item], advance: Advance
    ) -> Iterator[Result]:
        """Yield results in order; an item is submitted only within the window after the next to be yielded."""
        window = (sum(self._client.nthreads().values()) or 1) * _IN_FLIGHT_PER_THREAD
        positions: dict[str, int] = {}
        ready: dict[int, Result] = {}
        running = Running(self._client)
        submitted = 0
        try:
            for due in range(len(items)):
                # A call to the scheduler costs much more than a further item in it, so half a window goes at once.
                if submitted < len(items) and submitted - due <= window // 2:
                    futures: list[Future] = self._client.map(function, items[submitted : due + window], pure=False)
                    for future in futures:
                        positions[future.key] = submitted
                        running.add(future)
                        submitted += 1
                while due not in ready:
                    for key, result in running.next_results():
                        ready[positions.pop(key)] = result
                        advance()
                yield ready.pop(due)
        finally:
            running.cancel()


@contextmanager
def connect(address: str) -> Iterator[Cluster]:
    """Connect to a scheduler; a client that this process has there already is used, and stays open.

    Raises:
        ConfigError: No scheduler answers, or it wants certificates and there are none.
    """
    if (connected := _connected(address)) is not None:
        yield Cluster(connected)
        return
    try:
        client = DaskClient(address, timeout=_CONNECT_TIMEOUT)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"dask.scheduler_address: no scheduler answers at {address} ({error})\n"
            "  do: start one (`dask scheduler`), mend the address, or leave the key out to run on this machine"
        ) from error
    except TypeError as error:
        # Dask's way to say that it was told of no certificate for this side.
        raise ConfigError(
            f"dask.scheduler_address: {address} is spoken to with a certificate, and Dask knows of none ({error})\n"
            "  do: set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, ..._TLS__CLIENT__CERT and ..._TLS__CLIENT__KEY"
        ) from error
    with client, worker_logs(client):
        yield Cluster(client)


@contextmanager
def start_cluster(workers: int, threads: int, *, processes: bool = True) -> Iterator[Cluster]:
    """Start a cluster on this machine that ends with the block.

    Args:
        workers: How many.
        threads: Of each.
        processes: Whether workers are processes of their own.

    Raises:
        ClusterError: A worker ended while it was being started.
    """
    with (
        dask.config.set(_QUIET),
        _event_loop() as loop,
        _started(workers, threads, loop, processes=processes) as cluster,
        DaskClient(cluster) as client,
        worker_logs(client),
    ):
        yield Cluster(client)


def _started(workers: int, threads: int, loop: IOLoop, *, processes: bool) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=processes,
            dashboard_address=_PRIVATE,
            worker_dashboard_address=_PRIVATE,
            scheduler_kwargs={"dashboard": False},
            # What fails on a worker is raised here, with what to do; Dask would print its traceback first.
            silence_logs=logging.CRITICAL,
            loop=loop,
        )
    except RuntimeError as error:
        raise ClusterError(
            f"dask: a worker process ended while the cluster of {workers} was being started ({error})\n"
            "  do: run again; if it ends again, give it fewer workers (`dask.workers`): the system ends processes so "
            "where memory is short"
        ) from error


@contextmanager
def _event_loop() -> Iterator[IOLoop]:
    """Run an event loop that outlives what runs on it.

    Dask stops a loop of its own while the sender of the last messages still waits whether more will come, and Python
    complains of an exception that nobody fetched where that wait ends just then.

    What is started from the loop's thread, as the workers are, is deaf to Ctrl-C, which a terminal sends to all: this
    process hears it, and ends the workers; they would die with a traceback each, and be started again meanwhile.
    """
    runner = LoopRunner()
    # Python starts it with the first worker, and lets the signals through again afterwards.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        runner.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield runner.loop
    finally:
        time.sleep(_LAST_MESSAGES_SECONDS)
        runner.stop()


def _connected(address: str) -> DaskClient | None:
    """Return the client that this process has at that scheduler already, if it has one."""
    try:
        client = DaskClient.current()
    except ValueError:
        return None
    at_work = client.status == "running" and client.scheduler is not None
    return client if at_work and client.scheduler.address == address else None

"""Dask, as the task functions use it: one client, and ordered work over partitions with bounded work in flight."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import dask
import pyarrow as pa
from dask.distributed import Client, Future, LocalCluster
from distributed.utils import LoopRunner
from pydantic import BaseModel, ConfigDict, PositiveInt

from tasks.cluster import Running
from tasks.errors import ConfigError
from tasks.progress import Advance, progress

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

# Arrow's own allocator gives memory back at once, so that every piece of work pays for having it from the system again.
if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
    pa.set_memory_pool(pa.system_memory_pool())


class DaskConfig(BaseModel):
    """Where the data work runs.

    Attributes:
        scheduler_address: An existing cluster's scheduler, such as `tcp://10.0.0.1:8786`. Without one, a cluster is
            started on this machine.
        processes: Start worker processes rather than threads. Threads start at once and share memory; processes
            take seconds to start and pay when Python code, not Arrow's kernels, is the larger part.
        workers: Worker processes (with `processes`), or 1.
        threads: Threads of each worker; by default the machine's cores are shared out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheduler_address: str | None = None
    processes: bool = False
    workers: PositiveInt | None = None
    threads: PositiveInt | None = None


@contextmanager
def open_client(config: DaskConfig) -> Iterator[Client]:
    """Connect to the configured scheduler, or start a LocalCluster that ends with the block.

    Raises:
        ConfigError: The scheduler cannot be reached.
    """
    if config.scheduler_address is not None:
        if (connected := _connected(config.scheduler_address)) is not None:
            yield connected
            return
        with _connect(config.scheduler_address) as client:
            yield client
        return
    cores = os.cpu_count() or 1
    workers = config.workers or (cores if config.processes else 1)
    threads = config.threads or max(1, cores // workers)
    with (
        dask.config.set(_QUIET),
        _event_loop() as loop,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=config.processes,
            dashboard_address=_PRIVATE,
            worker_dashboard_address=_PRIVATE,
            scheduler_kwargs={"dashboard": False},
            # What fails on a worker is raised here, with what to do; Dask would print its traceback first.
            silence_logs=logging.CRITICAL,
            loop=loop,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def _event_loop() -> Iterator[IOLoop]:
    """Run an event loop that outlives what runs on it.

    Dask stops a loop of its own while the sender of the last messages still waits whether more will come, and Python
    complains of an exception that nobody fetched where that wait ends just then.
    """
    runner = LoopRunner()
    runner.start()
    try:
        yield runner.loop
    finally:
        time.sleep(_LAST_MESSAGES_SECONDS)
        runner.stop()


def _connected(address: str) -> Client | None:
    """Return the client that this process has at that scheduler already, if it has one."""
    try:
        client = Client.current()
    except ValueError:
        return None
    at_work = client.status == "running" and client.scheduler is not None
    return client if at_work and client.scheduler.address == address else None


def _connect(address: str) -> Client:
    try:
        return Client(address, timeout=_CONNECT_TIMEOUT)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"dask.scheduler_address: no scheduler answers at {address} ({error})\n"
            "  do: start one (`dask scheduler`), mend the address, or leave the key out to run on this machine"
        ) from error


def map_partitions(
    client: Client, function: Callable[[Item], Result], items: Sequence[Item], *, label: str
) -> list[Result]:
    """Call `function` on every item on the cluster and return the results in the items' order.

    Only a few items per thread are in flight at once, so results must be small (references, counts), and memory
    does not grow with the number of partitions. The first error cancels what is left and is raised.

    Args:
        client: The cluster's client.
        function: A module-level function (or `functools.partial` of one) of one item.
        items: What to map over, such as partitions.
        label: What the progress bar says.
    """
    with progress(label, len(items), "partitions") as advance:
        return list(_ordered_results(client, function, items, advance))


def merge_partitions(
    client: Client,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    merge: Callable[[Result, Result], Result],
    *,
    label: str,
) -> Result:
    """Call `function` on every item and merge the results; only the logarithm of their number is held at once.

    Neighbours are merged as a balanced binary tree in the items' order, like the carries of a binary counter. The tree
    depends on the number of items alone, so the answer is the same to the bit whatever the threads did.

    Args:
        client: The cluster's client.
        function: A module-level function (or `functools.partial` of one) of one item.
        items: What to map over, at least one.
        merge: Combines the results of two neighbouring stretches, the earlier one first; associative but for rounding.
        label: What the progress bar says.
    """
    assert items, "there is nothing to merge"
    levels: list[tuple[int, Result]] = []
    with progress(label, len(items), "partitions") as advance:
        for result in _ordered_results(client, function, items, advance):
            levels.append((0, result))
            while len(levels) > 1 and levels[-1][0] == levels[-2][0]:
                (level, left), (_, right) = levels[-2:]
                levels[-2:] = [(level + 1, merge(left, right))]
    _, merged = levels.pop()
    while levels:
        merged = merge(levels.pop()[1], merged)
    return merged


def _ordered_results(
    client: Client, function: Callable[[Item], Result], items: Sequence[Item], advance: Advance
) -> Iterator[Result]:
    """Yield results in order; an item is submitted only when it is within the window after the next to be yielded."""
    window = (sum(client.nthreads().values()) or 1) * _IN_FLIGHT_PER_THREAD
    positions: dict[str, int] = {}
    ready: dict[int, Result] = {}
    running = Running(client)
    submitted = 0
    try:
        for due in range(len(items)):
            # A call to the scheduler costs much more than a further item in it, so half a window is submitted at once.
            if submitted < len(items) and submitted - due <= window // 2:
                futures: list[Future] = client.map(function, items[submitted : due + window], pure=False)
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

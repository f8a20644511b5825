"""Dask, as the task functions use it: one client, and an ordered map over partitions with bounded work in flight."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from dask.distributed import Client, LocalCluster, as_completed
from pydantic import BaseModel, ConfigDict, PositiveInt

from tasks.errors import ConfigError
from tasks.progress import progress

Item = TypeVar("Item")
Result = TypeVar("Result")

# Enough queued work to keep every thread busy while the client handles a finished partition, and no more: what is
# queued but not started costs only its arguments, what is finished but not fetched costs its result.
_IN_FLIGHT_PER_THREAD = 3


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
        with _connect(config.scheduler_address) as client:
            yield client
        return
    cores = os.cpu_count() or 1
    workers = config.workers or (cores if config.processes else 1)
    threads = config.threads or max(1, cores // workers)
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=config.processes,
            dashboard_address=None,
            silence_logs=40,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _connect(address: str) -> Client:
    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"dask.scheduler_address: no scheduler answers at {address} ({error})\n"
            "  do: start one (`dask scheduler`), mend the address, or leave the key out to run on this machine"
        ) from error


def map_partitions(
    client: Client, function: Callable[[Item], Result], items: Sequence[Item], *, label: str
) -> list[Result]:
    """Call `function` on every item on the cluster and return the results in the items' order.

    Only a few items per thread are in flight at once, so results must be small (references, counts, statistics),
    and memory does not grow with the number of partitions. The first error cancels what is left and is raised.

    Args:
        client: The cluster's client.
        function: A module-level function (or `functools.partial` of one) of one item.
        items: What to map over, such as partitions.
        label: What the progress bar says.
    """
    results: list[Any] = [None] * len(items)
    positions: dict[str, int] = {}
    waiting = iter(range(len(items)))
    running = as_completed()

    def submit() -> None:
        position = next(waiting, None)
        if position is not None:
            future = client.submit(function, items[position], pure=False)
            positions[future.key] = position
            running.add(future)

    threads = sum(client.nthreads().values()) or 1
    with progress(label, len(items), "partitions") as advance:
        for _ in range(threads * _IN_FLIGHT_PER_THREAD):
            submit()
        try:
            for future in running:
                results[positions.pop(future.key)] = future.result()
                submit()
                advance()
        finally:
            client.cancel(list(running.futures))
    return results

"""Dask, as the task functions use it: one client, and ordered work over partitions with bounded work in flight."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, PositiveInt

from tasks.memory import reuse_memory
from tasks.progress import Advance, progress

Item = TypeVar("Item")
Result = TypeVar("Result")

reuse_memory()


class DaskConfig(BaseModel):
    """Where the data work runs.

    Attributes:
        scheduler_address: An existing cluster's scheduler, such as `tcp://10.0.0.1:8786`. Without one, the work runs
            on this machine.
        processes: Start a cluster of worker processes rather than threads of this process. Threads start at once and
            share memory; processes take seconds to start and pay when Python code, not Arrow's kernels, is the larger
            part.
        workers: Worker processes (with `processes`), or 1.
        threads: Threads of each worker; by default the machine's cores are shared out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheduler_address: str | None = None
    processes: bool = False
    workers: PositiveInt | None = None
    threads: PositiveInt | None = None


class Client(Protocol):
    """Who does the data work: threads of this process, or a cluster."""

    @property
    def address(self) -> str | None:
        """The scheduler's address; None where there is no cluster."""

    @property
    def thread_memory(self) -> int | None:
        """Bytes of memory for each thread, where a worker has least; None where there is no limit."""

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], advance: Advance) -> list[Result]:
        """Return the results in the items' order."""

    def merge(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        merge: Callable[[Result, Result], Result],
        advance: Advance,
    ) -> Result:
        """Return the results, at least one, merged as `tasks.merging.joined_in_tree` does."""


@contextmanager
def open_client(config: DaskConfig) -> Iterator[Client]:
    """Connect to the configured scheduler, or do the work on this machine until the block ends.

    Raises:
        ConfigError: The scheduler cannot be reached.
    """
    cores = os.cpu_count() or 1
    if config.scheduler_address is None and not config.processes:
        from tasks.dask_threads import Threads  # noqa: PLC0415

        with Threads(config.threads or max(1, cores // (config.workers or 1))) as threads:
            yield threads
        return
    # Dask's clusters take as long to import as all of Arrow, and most runs have none.
    from tasks.dask_cluster import connect, start_cluster  # noqa: PLC0415

    if config.scheduler_address is not None:
        with connect(config.scheduler_address) as client:
            yield client
        return
    workers = config.workers or cores
    with start_cluster(workers, config.threads or max(1, cores // workers)) as client:
        yield client


def map_partitions(
    client: Client, function: Callable[[Item], Result], items: Sequence[Item], *, label: str
) -> list[Result]:
    """Call `function` on every item on the client's threads and return the results in the items' order.

    Only a few items per thread are in flight at once, so results must be small (references, counts), and memory
    does not grow with the number of partitions. The first error cancels what is left and is raised.

    Args:
        client: The client.
        function: A module-level function (or `functools.partial` of one) of one item.
        items: What to map over, such as partitions.
        label: What the progress bar says.
    """
    with progress(label, len(items), "partitions") as advance:
        return client.map(function, items, advance)


def merge_partitions(
    client: Client,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    merge: Callable[[Result, Result], Result],
    *,
    label: str,
) -> Result:
    """Call `function` on every item and merge the results; only the logarithm of their number is held at once.

    Neighbours are merged as `joined_in_tree` says, so the answer is the same to the bit whatever the threads did.

    Args:
        client: The client.
        function: A module-level function (or `functools.partial` of one) of one item.
        items: What to map over, at least one.
        merge: Combines the results of two neighbouring stretches, the earlier one first; associative but for rounding.
        label: What the progress bar says.
    """
    assert items, "there is nothing to merge"
    with progress(label, len(items), "partitions") as advance:
        return client.merge(function, items, merge, advance)

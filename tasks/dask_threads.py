"""Data work on threads of this process, by Dask's scheduler for threads: nothing to start, nothing to send."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from dask.threaded import get

from tasks.merging import joined_in_tree
from tasks.progress import Advance

Item = TypeVar("Item")
Result = TypeVar("Result")

# A name of a piece of work in Dask's graph: where the stretch of items begins, and how many merges made it.
_Name = tuple[int, int]
# Where Linux tells what a container may have, in its second and in its first form.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class Threads:
    """A `tasks.engine.Client` of this process."""

    address: str | None = None

    def __init__(self, threads: int) -> None:
        """Take so many threads; they start when there is work."""
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="headrace-data")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def thread_memory(self) -> int | None:
        """The thread's share of the machine's memory, or of what this container may have."""
        return machine_memory() // self._threads

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], advance: Advance) -> list[Result]:
        """See `tasks.engine.Client`; work is begun only when a thread is free for it."""
        graph = _leaves(function, items)
        return list(self._computed(graph, list(graph), advance))

    def merge(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        merge: Callable[[Result, Result], Result],
        advance: Advance,
    ) -> Result:
        """See `tasks.engine.Client`; what was merged is let go of."""
        graph = _leaves(function, items)

        def join(left: _Name, right: _Name) -> _Name:
            name = (left[0], max(left[1], right[1]) + 1)
            graph[name] = (merge, left, right)
            return name

        merged: Result = self._computed(graph, joined_in_tree(list(graph), join), advance)
        return merged

    def _computed(self, graph: dict[_Name, Any], wanted: _Name | list[_Name], advance: Advance) -> Any:
        def finished(name: _Name, *_: object) -> None:
            if not name[1]:
                advance()

        return get(graph, wanted, pool=self._pool, callbacks=[(None, None, None, finished, None)])


def _leaves(function: Callable[[Item], Result], items: Sequence[Item]) -> dict[_Name, Any]:
    # An argument that stands in the graph itself may be taken for the name of other work.
    return {(index, 0): (partial(function, item),) for index, item in enumerate(items)}


def machine_memory() -> int:
    """Return the bytes of memory of this machine, or of this container where it may have less."""
    limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _LIMITS:
        if path.exists() and (said := path.read_text().strip()).isdigit():
            limit = min(limit, int(said))
    return limit

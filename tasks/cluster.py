"""Work that is under way on a cluster, and what may befall a cluster: workers lost, all of them, or the scheduler.

Dask itself runs a lost worker's tasks again on the others, results that went down with it included. Our work allows
that: each piece depends on its arguments alone and writes the same bytes to the same place. What is left to do here is
to notice when nobody will finish any more, and to say so.
"""

from __future__ import annotations

from typing import Any

from dask.distributed import Client, Future, KilledWorker, as_completed
from distributed.client import FutureCancelledError

from tasks.errors import ClusterError

# So long nothing may finish before the scheduler is asked whether anybody is at work: a cluster that grows on demand,
# or a supervisor that starts lost workers again, needs some time.
PATIENCE_SECONDS = 120.0


class Running:
    """Futures under way on a cluster; hands out their results as they come."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._futures: dict[str, Future] = {}
        self._done = as_completed(timeout=PATIENCE_SECONDS)

    def add(self, future: Future) -> None:
        """Wait for this future too."""
        self._futures[future.key] = future
        self._done.add(future)

    def next_results(self) -> list[tuple[str, Any]]:
        """Wait for the next futures that end; return their keys and results, or raise what a function raised.

        Raises:
            ClusterError: The cluster will not finish it: every worker is gone, so is the scheduler, or workers died of
                it again and again.
        """
        while True:
            try:
                done = self._done.next_batch()
            except TimeoutError:
                self._require_workers()
                self._done = as_completed(list(self._futures.values()), timeout=PATIENCE_SECONDS)
                continue
            keys = [future.key for future in done]
            for key in keys:
                del self._futures[key]
            return list(zip(keys, self._results(done), strict=True))

    def cancel(self) -> None:
        """Give up what is still under way."""
        self._client.cancel(list(self._futures.values()))

    def _require_workers(self) -> None:
        if not self._client.nthreads():
            raise ClusterError(
                f"dask: {len(self._futures)} pieces of work wait, and no worker is left to do them\n"
                "  do: start workers (`dask worker ADDRESS`) and run again; what is finished is reused"
            )

    def _results(self, done: list[Future]) -> list[Any]:
        try:
            # Asking for one result after another costs as much for each as for all of them.
            return list(self._client.gather(done))
        except KilledWorker as error:
            raise ClusterError(
                f"dask: a piece of work was given to {error.allowed_failures + 1} workers, and each died of it; most "
                "often for want of memory, which their own output tells\n"
                "  do: give workers more memory (`dask worker --memory-limit`) or fewer threads (`--nthreads`), and "
                "run again; what is finished is reused"
            ) from error
        except FutureCancelledError as error:
            raise ClusterError(
                f"dask: the work was lost, with the scheduler or by its hand: {error.reason}\n"
                "  do: look at the scheduler, start it again if it is gone, and run again; what is finished is reused"
            ) from error

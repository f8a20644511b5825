"""A real Dask cluster: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from dask.distributed import Client

from tests.end_to_end.conftest import ROOT, free_port


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        address: The scheduler's.
        processes: The scheduler's, then the workers', which by default only watch over the working process.
    """

    address: str
    processes: tuple[subprocess.Popen[bytes], ...]

    def kill_a_worker(self) -> int:
        """Send SIGKILL to one working process; return its id."""
        supervisor = psutil.Process(self.processes[-1].pid)
        working = [child for child in supervisor.children() if "spawn_main" in " ".join(child.cmdline())]
        victim = (working or [supervisor])[0]
        victim.kill()
        return victim.pid


@contextmanager
def dask_cluster(*options: str, workers: int = 2, protocol: str = "tcp") -> Iterator[Cluster]:
    """Run a scheduler and workers until the block ends.

    Args:
        options: Of `dask worker`.
        workers: How many; each has one thread.
        protocol: `tls` where Dask's configuration names certificates.
    """
    address = f"{protocol}://127.0.0.1:{free_port()}"
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", address, "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    with tempfile.TemporaryDirectory() as scratch:
        worker = [*dask, "worker", address, "--nthreads", "1", "--no-dashboard", *options]
        worker += ["--host", f"{protocol}://127.0.0.1", "--local-directory", scratch]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
        processes = tuple(subprocess.Popen(command, **quiet) for command in (scheduler, *[worker] * workers))
        try:
            with Client(address, set_as_default=False, timeout="60s") as client:
                client.wait_for_workers(workers, timeout=60)
            yield Cluster(address, processes)
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    # A supervisor whose worker has just died may overhear the first signal.
                    process.kill()
                    process.wait()


def until(condition, seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)

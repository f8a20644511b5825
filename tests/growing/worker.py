"""A worker as somebody starts it on another machine: with Prefect's own command, and little else in common."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end.conftest import ROOT, Shell

_QUERY_SECONDS = "1"


@contextmanager
def worker(folder: Path, pool: str, **variables: str) -> Iterator[Path]:
    """Run a worker until the block ends; yields its log.

    Args:
        folder: Everything of its machine: the working directory, the user's home, Prefect's home.
        pool: Where it takes runs from.
        variables: What it is told.
    """
    folder.mkdir(exist_ok=True)
    inherited = Shell(folder).environment
    own = {"HOME": str(folder), "PREFECT_HOME": str(folder / "prefect"), "PYTHONPATH": str(ROOT)}
    left_out = ("HEADRACE_HOME", "XDG_CACHE_HOME", *(name for name in inherited if name.startswith("AWS_")))
    environment = {name: value for name, value in inherited.items() if name not in left_out}
    log = folder / "worker.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process"],
            cwd=folder,
            env={**environment, **own, "PREFECT_WORKER_QUERY_SECONDS": _QUERY_SECONDS, **variables},
            stdout=file,
            stderr=file,
        )
    try:
        yield log
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            # A worker that is told to end while a run's process is ending may wait for it for ever.
            process.kill()
            process.wait()

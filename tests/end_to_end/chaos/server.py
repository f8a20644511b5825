"""A Prefect server that can be killed, started again on the same port and database, and kept from its database."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.end_to_end.conftest import free_port

_START_SECONDS = 180
_ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
# What has been asked to run but has not begun is no zombie.
_WAITING = {"SCHEDULED"}


class Server:
    """One server; its database is a file of SQLite in the folder it is given."""

    def __init__(self, folder: Path) -> None:
        """Start nothing yet."""
        self.folder = folder
        self.port = free_port()
        self.api = f"http://127.0.0.1:{self.port}/api"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
        environment = {
            **kept,
            "PREFECT_HOME": str(self.folder),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_SERVER_UI_API_URL": self.api,
        }
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            assert self._process.poll() is None, (self.folder / "output").read_text()
            assert time.monotonic() < deadline, "the Prefect server did not start"
            time.sleep(0.2)

    def answers(self) -> bool:
        """Say whether its API is there."""
        try:
            return httpx.get(f"{self.api}/health", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to all of its processes and wait for its end."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
        self._process.wait(60)
        self._process = None

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """Keep the server from its database for the time of the block: another writer holds it alone."""
        connection = sqlite3.connect(self.folder / "prefect.db", timeout=30, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    def runs(self) -> list[dict[str, Any]]:
        """Return all flow runs, as the API has them."""
        answer = httpx.post(f"{self.api}/flow_runs/filter", json={"limit": 200}, timeout=30)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def running(self) -> list[str]:
        """Return names and states of the flow runs that have begun and not ended."""
        states = {run["name"]: run["state_type"] for run in self.runs()}
        return [f"{name}: {state}" for name, state in states.items() if state not in _ENDED | _WAITING]

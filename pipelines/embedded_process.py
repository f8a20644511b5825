"""Prefect's server as a process beside a run: `python -m pipelines.embedded_process DESCRIPTOR`.

It answers on a socket that its parent listens on already, and ends in good order once its standard input is closed:
by the parent, or by the system when the parent was killed.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

# What Prefect gives to the servers that it starts itself: no UI, and only the services that one run needs.
_EPHEMERAL = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
# Its console is a file of the parent's.
_SAID = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING"}
# To write down what it was last told, then it ends in any case.
_END_SECONDS = 20.0


def main() -> None:
    """Serve until the parent is gone."""
    os.environ.update(_EPHEMERAL | _SAID)
    imported = threading.Event()
    server = _Server(
        uvicorn.Config("prefect.server.api.server:create_app", factory=True, log_level="error", lifespan="on")
    )
    threading.Thread(target=_end_with_parent, args=(server, imported), daemon=True).start()
    server.config.load()
    imported.set()
    server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


class _Server(uvicorn.Server):
    """A server that starts while no other one of the same Prefect home does.

    The first start makes the database's tables, and two that do so at once both fail.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        with _alone():
            await super().startup(sockets)


@contextmanager
def _alone() -> Iterator[None]:
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
    home.mkdir(parents=True, exist_ok=True)
    with (home / "headrace-start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _end_with_parent(server: uvicorn.Server, imported: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    if not imported.is_set():
        # The database was not touched yet.
        os._exit(0)
    last = threading.Timer(_END_SECONDS, os._exit, (1,))
    last.daemon = True
    last.start()
    server.should_exit = True


if __name__ == "__main__":
    main()

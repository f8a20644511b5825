"""Prefect's server beside a run, where none is configured, started before all else that takes long.

Prefect would start one itself at the flow's first call, and wait for it. Its start takes as long as all of the run's
own imports; here the two happen at the same time. What the server has to say never reaches the terminal: SQLite's
"database is locked", for one, which it says where two runs share a database, and then tries again.
"""

from __future__ import annotations

import atexit
import os
import re
import socket
import subprocess
import sys
import tempfile
from typing import IO

import httpx
from prefect.context import refresh_global_settings_context
from prefect.settings import get_current_settings

from pipelines.server_away import ServerAwayError

_LAST_LINES = 5
_ERROR = re.compile(r"[A-Za-z_.]+(?:Error|Exception): ")
_END_SECONDS = 25


class EmbeddedServer:
    """A server that lives as long as this process, at most: also a killed one leaves none behind.

    Attributes:
        url: Of its API, which is this process's `PREFECT_API_URL` from now on.
    """

    def __init__(self) -> None:
        self._ready = False
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the child's, as long as it lives
        with socket.create_server(("127.0.0.1", 0)) as listener:
            descriptor = listener.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "pipelines.embedded_process", str(descriptor)],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
                pass_fds=[descriptor],
                # Ctrl-C is for the run, which has its end to report.
                start_new_session=True,
            )
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        # Prefect's own threads send the last of the logs and events at exit, in functions that are registered later.
        atexit.register(self.stop)

    def wait_until_ready(self) -> None:
        """Wait for its first answer.

        Raises:
            ServerAwayError: It ended, or is not ready within Prefect's own limit for such servers.
        """
        limit = get_current_settings().server.ephemeral.startup_timeout_seconds
        try:
            # The socket takes the request at once; the answer comes when the server can give it.
            httpx.get(f"{self.url}/health", timeout=limit, trust_env=False).raise_for_status()
            self._ready = True
        except httpx.HTTPError as error:
            self._output.seek(0)
            lines = self._output.read().decode(errors="replace").strip().splitlines()
            # Of a traceback the line that names the error says it all.
            said = [line for line in lines if _ERROR.match(line)][-1:] or lines[-_LAST_LINES:]
            raise ServerAwayError(
                f"Prefect's embedded server does not answer ({error}); the last it said:\n" + "\n".join(said) + "\n"
                "  do: mend what it says, or start a server (`prefect server start`) and set PREFECT_API_URL"
            ) from error

    def stop(self) -> None:
        """Let it write down what it was told, and end; nobody told one anything that was never ready."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if not self._ready:
            return
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start_embedded_server() -> EmbeddedServer | None:
    """Start the server that this process's flows will use, or return None where one is configured."""
    settings = get_current_settings()
    if settings.api.url or not settings.server.ephemeral.enabled:
        return None
    server = EmbeddedServer()
    os.environ["PREFECT_API_URL"] = server.url
    refresh_global_settings_context()
    return server

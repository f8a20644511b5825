"""The real server process, started over a model store, asked, and stopped."""

from __future__ import annotations

import http
import http.client
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_HOST = "127.0.0.1"
_POLL_SECONDS = 0.05
_STOP_SECONDS = 10
_REQUEST_SECONDS = 30
_OUTPUT_TAIL = 2000
_LISTENING = re.compile(rf"^headrace serving: http://{re.escape(_HOST)}:(?P<port>[0-9]+)\b", re.MULTILINE)


class ServerError(ValueError):
    """The server did not start, did not answer, or answered with an error; the message ends with its output."""


@dataclass(frozen=True)
class ServerProcess:
    """A running server.

    Attributes:
        output: The file that takes everything it prints.
    """

    process: subprocess.Popen[bytes]
    output: Path

    def wait_until_ready(self, model: str, limit_seconds: float) -> int:
        """Return the port that the server took, once the model is ready there.

        Raises:
            ServerError: It ended, it is not ready within the limit, or the model is not.
        """
        deadline = time.monotonic() + limit_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self._error(f"the server ended with code {self.process.returncode} before it was ready")
            said = _LISTENING.search(self.output.read_text(errors="replace"))
            if said is not None:
                port = int(said["port"])
                self._call(port, "GET", f"/v2/models/{model}/ready")
                return port
            time.sleep(_POLL_SECONDS)
        raise self._error(f"the server was not ready within {limit_seconds:g} s")

    def infer(self, port: int, model: str, body: bytes) -> bytes:
        """Send an inference request and return the body of the answer.

        Raises:
            ServerError: The server does not answer, or not with 200.
        """
        return self._call(port, "POST", f"/v2/models/{model}/infer", body)

    def _call(self, port: int, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection(_HOST, port, timeout=_REQUEST_SECONDS)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._error(f"{method} {path} was not answered: {error!r}") from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            said = answer[:_OUTPUT_TAIL].decode(errors="replace")
            raise self._error(f"{method} {path} was answered with {response.status}: {said}")
        return answer

    def _error(self, what: str) -> ServerError:
        said = self.output.read_text(errors="replace")[-_OUTPUT_TAIL:].strip()
        return ServerError(f"{what}\nthe server's output ends: {said or '(nothing)'}")


@contextmanager
def serving_process(store: Path, output: Path) -> Iterator[ServerProcess]:
    """Run `python -m serving` on a free port until the block ends.

    Args:
        store: The model store's folder.
        output: The file that takes what the server prints.
    """
    command = [sys.executable, "-m", "serving", "--store", str(store), "--host", _HOST, "--port", "0"]
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)  # noqa: S603
        try:
            yield ServerProcess(process, output)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

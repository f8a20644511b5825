"""A reader's shell: the commands of a page, one after the other, in the page's own folder.

Servers that a page starts run until another of their kind takes their place, or the page ends. Ports that pages name
are free ones here, and other machines are this one; nothing else of a page's text is changed.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

_SECONDS = 240.0
_LONGEST = 900.0
_PORT = re.compile(r"(?<=:)\d{4}\b|(?<=port[ =])\d{4}\b|(?<=port: )\d{4}\b|(?<=-p )\d{4}\b|(?<=http\.server )\d{4}\b")
_MACHINE = re.compile(r"\b10\.0\.0\.\d+\b")
_COMMENT = re.compile(r"\s+#.*$")
_ASSIGNMENTS = re.compile(r"^((?:[A-Z_]+=\S+ )+)")
# A refused request is a failed command here.
_CURL = 'curl() { command curl --fail-with-body --retry 3 --retry-connrefused "$@"; }\n'


@dataclass(frozen=True)
class Server:
    """A command that does not end: which kind it is, the options that give it a port, and what it prints when ready."""

    kind: str
    command: re.Pattern[str]
    ports: dict[str, str]
    ready: str


SERVERS = (
    Server("endpoint", re.compile(r"(headrace serve|python -m serving)\b"), {"--port": "8080"}, "headrace serving:"),
    Server("endpoint", re.compile(r"headrace up\b"), {"--port": "8080", "--prefect-port": "4200"}, "Ctrl-C"),
    Server("endpoint", re.compile(r"uvicorn\b"), {"--port": "8000"}, "startup complete"),
    Server("worker", re.compile(r"prefect worker start\b"), {}, "started!"),
    Server("prefect", re.compile(r"prefect server start\b"), {"--port": "4200"}, "Check out the dashboard"),
    Server("dask-scheduler", re.compile(r"dask scheduler\b"), {"--dashboard-address": "8787"}, "Scheduler at:"),
    Server("dask-worker", re.compile(r"dask worker\b"), {}, "Registered to:"),
    Server("files", re.compile(r"python -m http\.server\b"), {}, "Serving HTTP"),
    Server("store", re.compile(r"moto_server\b"), {}, "Running on"),
)


@dataclass
class PageShell:
    """The shell of one page; use it in a `with` block, which ends its servers.

    Attributes:
        folder: The page's folder, in which commands start.
        said: What the last command printed on standard output.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    said: str = ""
    _ports: dict[str, str] = field(default_factory=dict)
    _servers: dict[str, tuple[subprocess.Popen[bytes], Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        left_out = ("PREFECT_", "HEADRACE_", "DISPLAY", "WAYLAND_DISPLAY", "COLUMNS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        own = {
            "HOME": str(self.folder / ".reader"),
            "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}",
            "PREFECT_HOME": str(self.folder / ".prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        (self.folder / ".reader").mkdir(exist_ok=True)
        self.environment = {**kept, **own, **self.environment}

    def __enter__(self) -> PageShell:
        return self

    def __exit__(self, *error: object) -> None:
        for kind in reversed(list(self._servers)):
            self.stop(kind, force=error[0] is not None)

    def written(self, text: str) -> str:
        """Return a page's text with free ports, and this machine, for those that it names."""
        return _PORT.sub(lambda found: self.port(found[0]), _MACHINE.sub("127.0.0.1", text))

    def port(self, named: str) -> str:
        """Return the free port that stands for one that pages name, the same each time."""
        if named not in self._ports:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                self._ports[named] = str(listener.getsockname()[1])
        return self._ports[named]

    def do(self, statement: str, exits: tuple[int, ...] = (0,)) -> None:
        """Run a statement to its end, or start it where it is a server.

        Raises:
            AssertionError: It ended otherwise than expected, or a server did not get ready.
        """
        text = self.written(statement)
        bare = _ASSIGNMENTS.sub("", text)
        server = next((server for server in SERVERS if server.command.match(bare)), None)
        if server is not None:
            self._start(server, text)
            return
        state = self.folder / ".reader" / "environment"
        script = f"set -a -o pipefail\n{_CURL}{text}\ncode=$?\nunset -f curl\nenv -0 > '{state}'\nexit $code"
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )
        try:
            self.said, errors = process.communicate(timeout=_LONGEST)
        finally:
            if _group_lives(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode in exits, f"{statement}\nended with {process.returncode}\n{self.said}{errors}"
        assert "Traceback" not in errors, errors
        if state.exists():
            pairs = (pair.partition("=") for pair in state.read_text().split("\0") if pair)
            self.environment = {name: value for name, _, value in pairs if name not in {"_", "code", "SHLVL"}}

    def _start(self, server: Server, text: str) -> None:
        self.stop(server.kind)
        command = _COMMENT.sub("", text).rstrip(" &")
        for option, port in server.ports.items():
            if f"{option} " not in command:
                command += f" {option} {self.port(port)}"
        log = self.folder / ".reader" / f"{server.kind}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", "exec " + _ASSIGNMENTS.sub(r"env \g<1>", command)],
                cwd=self.folder,
                env=self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._servers[server.kind] = process, log
        deadline = time.monotonic() + _SECONDS
        while server.ready not in log.read_text():
            if process.poll() is not None:
                del self._servers[server.kind]
                pytest.fail(f"{command}\nended with {process.returncode}\n{log.read_text()}")
            assert time.monotonic() < deadline, f"{command}\ndid not get ready\n{log.read_text()}"
            time.sleep(0.1)

    def running(self, kind: str) -> bool:
        return kind in self._servers

    def stop(self, kind: str, *, force: bool = False) -> None:
        """End a server as a reader does, with all that it started.

        Raises:
            AssertionError: It is one of ours, and ended badly.
        """
        process, log = self._servers.pop(kind, (None, None))
        if process is None or log is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(60)
        except subprocess.TimeoutExpired:
            code = None
        if _group_lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        if kind == "endpoint" and not force:
            assert code in {0, -signal.SIGTERM, 128 + signal.SIGTERM}, f"ended with {code}\n{log.read_text()}"
            assert "Traceback" not in log.read_text(), log.read_text()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True

"""The servers that are compared: how each is installed, started and asked."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from benchmarks.serving.requests import Sent, plain, protocol_binary, protocol_json

PEERS = Path(__file__).with_name("peers")
ENVIRONMENTS = Path(".venv-peers") / "serving"
_START_SECONDS = 60
# Triton's backend embeds a Python of its own and reads the standard library of the environment's: Debian's fits.
SYSTEM_PYTHON = "/usr/bin/python3"


class UnavailableError(ValueError):
    """A server cannot be installed or started here."""


@dataclass(frozen=True)
class Started:
    """What a command needs to know."""

    python: Path
    model: Path
    folder: Path
    port: int


@dataclass(frozen=True)
class Server:
    """One server.

    Attributes:
        packages: What its own environment gets; none for this project's environment.
        command: The process to start.
        path: Where inference requests go.
        ready: A path that answers 200 once it is ready.
        body: Makes a JSON request.
        binary: Whether it takes binary tensors.
        environment: Further variables.
        interpreter: The Python that its environment is made from.
    """

    packages: tuple[str, ...]
    command: Callable[[Started], list[str]]
    path: str
    ready: str
    body: Callable[[int, str], Sent]
    binary: bool = False
    environment: Callable[[Started], Mapping[str, str]] = field(default=lambda _: {})
    interpreter: str = sys.executable

    def requests(self, rows: int, *, binary: bool) -> Sent:
        """Return the request of so many rows."""
        return protocol_binary(rows, self.path) if binary else self.body(rows, self.path)


def _script(name: str) -> Callable[[Started], list[str]]:
    return lambda at: [str(at.python), str(PEERS / name), str(at.model), str(at.port)]


def _headrace(at: Started) -> list[str]:
    return [sys.executable, "-m", "serving", "--store", str(at.folder / "models"), "--port", str(at.port)]


def _asgi(at: Started) -> list[str]:
    return [
        sys.executable, "-m", "uvicorn", "--factory", "serving.transports.asgi:application", "--port", str(at.port),
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip


def _bentoml(at: Started) -> list[str]:
    return [
        str(at.python), "-m", "bentoml", "serve", "bentoml_app:Mlp", "--working-dir", str(PEERS), "--host",
        "127.0.0.1", "--port", str(at.port),
    ]  # fmt: skip


def _mlserver(at: Started) -> list[str]:
    settings = {"http_port": at.port, "grpc_port": at.port + 1, "metrics_port": at.port + 2, "debug": False}
    (at.folder / "settings.json").write_text(json.dumps(settings))
    model = {"name": "mlp", "implementation": "mlserver_app.Mlp", "parameters": {"uri": str(at.model)}}
    (at.folder / "model-settings.json").write_text(json.dumps(model))
    return [str(at.python.with_name("mlserver")), "start", str(at.folder)]


_INFER = "/v2/models/mlp/infer"
_READY = "/v2/models/mlp/ready"
HEADRACE = "headrace"
_protocol = partial(Server, path=_INFER, ready=_READY, body=protocol_json, binary=True)
_plain = partial(Server, path="/predict", body=plain)
SERVERS = {
    HEADRACE: _protocol((), _headrace),
    "headrace under uvicorn": _protocol((), _asgi, environment=lambda at: {"HEADRACE_HOME": str(at.folder)}),
    "fastapi": _plain(("fastapi", "uvicorn[standard]", "onnxruntime"), _script("fastapi_app.py"), ready="/ready"),
    "litserve": _plain(("litserve", "onnxruntime"), _script("litserve_app.py"), ready="/health"),
    "bentoml": _plain(
        ("bentoml", "onnxruntime"), _bentoml, ready="/readyz", environment=lambda at: {"MODEL": str(at.model)}
    ),
    # Its event loop policy is one that newer uvloops no longer have.
    "mlserver": _protocol(
        ("mlserver==1.7.1", "uvloop<0.22", "onnxruntime"),
        _mlserver,
        binary=False,
        environment=lambda _: {"PYTHONPATH": str(PEERS)},
    ),
    "kserve": _protocol(("kserve", "onnxruntime"), _script("kserve_app.py")),
    "triton": _protocol(("nvidia-pytriton", "onnxruntime"), _script("triton_app.py"), interpreter=SYSTEM_PYTHON),
}


def install(name: str) -> Path:
    """Return the Python of a server's own environment, made where it is missing.

    Raises:
        UnavailableError: A package cannot be installed here.
    """
    packages = SERVERS[name].packages
    if not packages:
        return Path(sys.executable)
    environment = ENVIRONMENTS / name
    python = environment.absolute() / "bin" / "python"
    if not (environment / ".ready").exists():
        subprocess.run([SERVERS[name].interpreter, "-m", "venv", "--clear", environment], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnavailableError(f"cannot be installed: {done.stderr.strip()[-300:]}")
        (environment / ".ready").touch()
    return python


@contextmanager
def running(name: str, at: Started) -> Iterator[tuple[psutil.Process, float]]:
    """Start a server; give its process and the seconds until it was ready; stop it with all its children.

    Raises:
        UnavailableError: It ended, or it is not ready in time.
    """
    server = SERVERS[name]
    variables = {**os.environ, **server.environment(at), "OMP_NUM_THREADS": "1", "DO_NOT_TRACK": "1"}
    variables |= {"BENTOML_DO_NOT_TRACK": "True"}
    output = at.folder / "output"
    started = time.perf_counter()
    with output.open("wb") as said:
        process = psutil.Popen(server.command(at), stdout=said, stderr=said, env=variables, cwd=at.folder)
    try:
        while not _is_ready(f"http://127.0.0.1:{at.port}{server.ready}"):
            if process.poll() is not None or time.perf_counter() - started > _START_SECONDS:
                raise UnavailableError(f"did not start: {output.read_text(errors='replace').strip()[-300:]}")
            time.sleep(0.01)
        yield process, time.perf_counter() - started
    finally:
        everyone = [*process.children(recursive=True), process] if process.is_running() else []
        for each in everyone:
            each.kill()
        psutil.wait_procs(everyone)


def free_port() -> int:
    """Return a port that is free, and whose two neighbours are likely to be."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False

"""Several worker processes behind one port: started, restarted and stopped together.

Each has a listening socket of its own on the same port (SO_REUSEPORT), and the kernel spreads connections over them
evenly; with one socket for all, the first to wake took 63 of 64. The supervisor binds these sockets and keeps them:
what waits to be accepted when a worker is killed is accepted by the one that takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.config import ServeConfig
from serving.config_file import ConfigError
from serving.transports.sockets import bound

logger = logging.getLogger(__name__)

_MODULE = "serving.transports.worker"
_STABLE_SECONDS = 5.0
_MOST_QUICK_ENDS = 5
_FIRST_PAUSE_SECONDS = 0.1
_STOP_MARGIN_SECONDS = 5.0
_USER_ERROR = 2


class WorkersFailedError(ValueError):
    """A worker process ends at once, again and again."""


class WorkerRefusedError(ConfigError):
    """A worker process says that the config asks for something that cannot be had."""


@dataclass(frozen=True)
class Worker:
    """Which of the endpoint's processes this is.

    Attributes:
        index: Counts from 0; a process that takes another's place takes its index.
        count: How many there are.
        folder: A private folder that all of them share, gone when the endpoint stops; None for a single process.
        channel: To the supervisor; at its end when the supervisor is gone. None for a single process.
    """

    index: int = 0
    count: int = 1
    folder: Path | None = None
    channel: socket.socket | None = None


def supervise(config: ServeConfig, port: int, say: Callable[[str], None]) -> None:
    """Serve from several processes until this one is told to stop.

    Args:
        config: What to serve, and by how many workers.
        port: A free one.
        say: Called once, when every worker takes requests, with the names of the models.

    Raises:
        OSError: The port cannot be listened on.
        WorkerRefusedError: A worker cannot do what the config asks for.
        WorkersFailedError: A worker ended at once, again and again.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(bound(config.host, port, shared=True)) for _ in range(config.workers)]
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="headrace-"))
        asyncio.run(_Supervisor(config, sockets, Path(folder), say).run())


class _Supervisor:
    def __init__(
        self, config: ServeConfig, sockets: Sequence[socket.socket], folder: Path, say: Callable[[str], None]
    ) -> None:
        self._config = config
        self._sockets = sockets
        self._folder = folder
        self._say = say
        self._stop = asyncio.Event()
        self._running: dict[int, Process] = {}
        self._ready: set[int] = set()
        self._said = False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        keeping = [asyncio.create_task(self._keep(index)) for index in range(self._config.workers)]
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([stopping, *keeping], return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        for process in self._running.values():
            _send(process, signal.SIGTERM)
        transport = self._config.transport
        patience = transport.notice_seconds + transport.drain_seconds + _STOP_MARGIN_SECONDS
        _, late = await asyncio.wait(keeping, timeout=patience)
        for process in self._running.values():
            _send(process, signal.SIGKILL)
        if late:
            await asyncio.wait(late)
        for task in keeping:
            task.result()

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            for process in self._running.values():
                _send(process, signal.SIGKILL)
            os._exit(128 + number)
        self._stop.set()

    async def _keep(self, index: int) -> None:
        """Have a worker of that index until the endpoint stops."""
        quick_ends = 0
        while not self._stop.is_set():
            started = asyncio.get_running_loop().time()
            code = await self._work(index)
            if self._stop.is_set():
                return
            lasted = asyncio.get_running_loop().time() - started
            was_ready = index in self._ready
            quick_ends = 0 if was_ready and lasted > _STABLE_SECONDS else quick_ends + 1
            if code == _USER_ERROR and not was_ready:
                raise WorkerRefusedError(f"worker {index} cannot start\n  do: see what it printed before")
            if quick_ends >= _MOST_QUICK_ENDS:
                raise WorkersFailedError(
                    f"worker {index} ended {quick_ends} times soon after its start, the last time with code {code}\n"
                    "  do: see what it printed before; `workers: 1` runs the endpoint in one process"
                )
            logger.error("worker %d ended with code %d; another takes its place", index, code)
            await asyncio.sleep(_FIRST_PAUSE_SECONDS * 2 ** (quick_ends - 1) if quick_ends else 0)

    async def _work(self, index: int) -> int:
        """Run one worker from its start to its end, and return its exit code."""
        ours, theirs = socket.socketpair()
        listening = self._sockets[index].fileno()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _MODULE, str(index), str(self._folder)),
                *(str(listening), str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(listening, theirs.fileno()),
                # Control-C at the terminal is for the supervisor alone, which then stops them well.
                start_new_session=True,
            )
        self._running[index] = process
        if self._stop.is_set():
            _send(process, signal.SIGTERM)
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            # A worker that ends before it has read this says why by its exit code.
            with contextlib.suppress(ConnectionError):
                writer.write(self._config.model_dump_json().encode() + b"\n")
                models = (await reader.readline()).decode()
                if models:
                    self._is_ready(index, models.strip())
            return await process.wait()
        finally:
            writer.close()
            del self._running[index]

    def _is_ready(self, index: int, models: str) -> None:
        self._ready.add(index)
        if len(self._ready) == self._config.workers and not self._said:
            self._said = True
            self._say(models)


def _send(process: Process, number: int) -> None:
    if process.returncode is None:
        process.send_signal(number)

"""The access log: one JSON line for each request, written by a thread, never with a value of a request."""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from functools import lru_cache
from pathlib import Path
from threading import Event, Thread
from time import gmtime, monotonic, perf_counter, strftime, time
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from serving.service.exchange import Exchange, Response

logger = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.25
_STOP_SECONDS = 5.0
_SAY_SECONDS = 60.0
_MOST_CHARACTERS = 256
_STANDARD_OUTPUT = 1

# What `line` takes apart.
Entry = tuple[Any, ...]


class LogConfig(BaseModel):
    """The access log.

    Attributes:
        access: The file that takes one JSON line for each request, `-` for standard output; None for no log.
        queue_lines: So many lines may wait to be written; more are dropped and counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    access: Path | None = None
    queue_lines: int = Field(default=100_000, gt=0)


class AccessLog:
    """Queues a line for each exchange and writes the lines four times a second.

    The file is opened again when it was renamed or removed, as log rotation does, and may be truncated in place.

    Attributes:
        dropped: Lines that were dropped, because too many waited or the file could not be written.
    """

    def __init__(self, config: LogConfig) -> None:
        """Open the log.

        Raises:
            OSError: The file cannot be opened.
        """
        self.dropped = 0
        self._path = _file_of(config)
        self._most = config.queue_lines
        self._waiting: deque[Entry] = deque()
        self._file = _STANDARD_OUTPUT if self._path is None else _opened(self._path)
        self._said = -_SAY_SECONDS
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def finished(self, exchange: Exchange, response: Response) -> None:
        """Queue the line of one exchange, or drop it."""
        if len(self._waiting) >= self._most:
            self.dropped += 1
            return
        # A tuple and not the exchange, which holds on to its connection and headers.
        self._waiting.append(
            (
                time(),
                perf_counter() - exchange.started,
                exchange.rules,
                exchange.protocol,
                exchange.method,
                exchange.path,
                response.status,
                exchange.bytes_in,
                len(response.body),
                exchange.client,
                exchange.key,
                exchange.request_id,
                exchange.model,
                exchange.version,
                exchange.rows,
                exchange.error,
            )
        )

    def stop(self) -> None:
        """Write what waits and close the file. Blocks, for so many seconds at most."""
        self._stopping.set()
        self._thread.join(_STOP_SECONDS)
        if self._path is not None and not self._thread.is_alive():
            os.close(self._file)

    def _run(self) -> None:
        while not self._stopping.wait(_FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        count = len(self._waiting)
        if not count:
            return
        lines = b"".join([line(self._waiting.popleft()) for _ in range(count)])
        try:
            if self._path is not None and _moved(self._path, self._file):
                new = _opened(self._path)
                os.close(self._file)
                self._file = new
            # Whole lines in one write, so that those of several workers do not mix.
            while lines:
                lines = lines[os.write(self._file, lines) :]
        except OSError as error:
            self.dropped += lines.count(b"\n")
            if monotonic() - self._said > _SAY_SECONDS:
                self._said = monotonic()
                logger.error("cannot write the access log, lines are dropped: %s", error)  # noqa: TRY400


def ignore_hangup(config: LogConfig) -> None:
    """Keep SIGHUP, which log rotation may send, from ending this process and those it starts: nothing needs it."""
    if _file_of(config) is not None and hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def line(entry: Entry) -> bytes:
    """Return the line of one exchange; texts that the client chose are cut to a bounded length."""
    moment, seconds, rules, protocol, method, path, status, taken, sent, client, key, request, *rest = entry
    model, version, rows, error = rest
    document = {
        "time": f"{_second(int(moment))}.{int(moment % 1 * 1000):03d}Z",
        "protocol": protocol,
        "method": method[:_MOST_CHARACTERS],
        "path": path[:_MOST_CHARACTERS],
        "status": status,
        "ms": round(seconds * 1000, 3),
        "bytes_in": taken,
        "bytes_out": sent,
        "client": client,
        "key": key,
        "request_id": request[:_MOST_CHARACTERS],
        "model": model[:_MOST_CHARACTERS],
        "version": version,
        "rows": rows,
        "error": error,
        "rules": sorted(set(rules)) if rules else (),
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


@lru_cache(maxsize=8)
def _second(moment: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(moment))


def _file_of(config: LogConfig) -> Path | None:
    # A path in a config file was made relative to that file's folder, `-` too.
    return None if config.access is None or config.access.name == "-" else config.access


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _moved(path: Path, descriptor: int) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return True
    opened = os.fstat(descriptor)
    return (status.st_ino, status.st_dev) != (opened.st_ino, opened.st_dev)

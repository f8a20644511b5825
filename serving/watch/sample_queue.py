"""The way of samples to their writer: a bounded queue, a thread, and the writer's process at the end of a pipe."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections import deque
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

import orjson

from serving.watch.samples import Sample, SampleTable
from serving.watch.settings import SamplesConfig

logger = logging.getLogger(__name__)

_LENGTH_BYTES = 4
_LOOK_SECONDS = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0
_WELL_SECONDS = 30.0
_STOP_SECONDS = 10.0


class SampleQueue:
    """Hands samples to a writer process without ever making a run wait; what does not fit is dropped and counted.

    The writer is started again when it ends by itself, at growing distances.

    Attributes:
        handed: Rows that the writer has got.
        dropped: Rows that were dropped.
        restarts: How often a writer was started in place of one that had ended.
    """

    def __init__(self, config: SamplesConfig) -> None:
        self.handed = self.dropped = self.restarts = 0
        self._config = config
        self._waiting: deque[Sample] = deque()
        self._rows = 0
        self._lock = Lock()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="samples", daemon=True)
        self._writer: subprocess.Popen[bytes] | None = None
        self._tables: dict[SampleTable, int] = {}
        self._pause = _FIRST_PAUSE
        self._next_start = self._started_at = 0.0

    @property
    def writer_pid(self) -> int | None:
        """The writer's process id while one runs."""
        return self._writer.pid if self._writer is not None else None

    def start(self) -> None:
        """Make the folder and start the writer.

        Raises:
            OSError: The folder cannot be made, or no process started.
        """
        self._config.folder.mkdir(parents=True, exist_ok=True)
        self._writer = self._started()
        self._thread.start()

    def stop(self) -> None:
        """Hand over what waits and wait until the writer has written it, for so many seconds at most. Blocks."""
        self._stopping.set()
        self._thread.join(_STOP_SECONDS)
        writer = self._writer
        if writer is None:
            return
        if writer.stdin is not None and not self._thread.is_alive():
            _close(writer)
        try:
            code = writer.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            writer.kill()
            code = writer.wait()
        if code:
            logger.error("the sample writer ended with code %d; sampled rows that it held are lost", code)

    def put(self, sample: Sample) -> None:
        """Queue a sample, or drop it where too many wait."""
        count = len(sample.rows)
        with self._lock:
            if self._rows + count > self._config.queue_rows:
                self.dropped += count
                return
            self._rows += count
        self._waiting.append(sample)

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self._hand_over()
        self._hand_over()
        with self._lock:
            self.dropped += self._rows
            self._rows = 0

    def _hand_over(self) -> None:
        """Write what waits into the pipe; a sample leaves the queue once it is in there."""
        while self._waiting:
            writer = self._living()
            if writer is None:
                return
            sample = self._waiting[0]
            try:
                self._write(writer, sample)
            except OSError:
                # The pipe is broken: the writer has ended, which the next look at it sees.
                writer.wait()
                continue
            self._waiting.popleft()
            with self._lock:
                self._rows -= len(sample.rows)
                self.handed += len(sample.rows)

    def _write(self, writer: subprocess.Popen[bytes], sample: Sample) -> None:
        number = self._tables.get(sample.table)
        if number is None:
            number = self._introduced(writer, sample.table)
        _frame(writer, [number, sample.time, sample.request, sample.rows, sample.columns, sample.outputs])

    def _introduced(self, writer: subprocess.Popen[bytes], table: SampleTable) -> int:
        number = len(self._tables)
        _frame(writer, table.document())
        self._tables[table] = number
        return number

    def _living(self) -> subprocess.Popen[bytes] | None:
        """Return the running writer, started again if need be; None while it is too early for that."""
        writer = self._writer
        if writer is not None and writer.poll() is None:
            return writer
        now = monotonic()
        if writer is not None:
            logger.error("the sample writer ended with code %s; it is started again", writer.returncode)
            _close(writer)
            self._writer = None
            if now - self._started_at > _WELL_SECONDS:
                self._pause = _FIRST_PAUSE
            self._next_start = now + self._pause
            self._pause = min(self._pause * 4, _LONGEST_PAUSE)
        if now < self._next_start and not self._stopping.is_set():
            return None
        self.restarts += 1
        self._writer = self._started()
        return self._writer

    def _started(self) -> subprocess.Popen[bytes]:
        self._tables = {}
        self._started_at = monotonic()
        config = self._config
        arguments = [str(config.folder.resolve()), str(config.rows_per_file), str(config.seconds_per_file)]
        # `python -m` puts the current folder first into the child's path, as it did for this process.
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "serving.watch.sample_writer", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # A signal to the endpoint's group must not end the writer before it has everything.
            start_new_session=True,
        )


def _frame(writer: subprocess.Popen[bytes], document: Any) -> None:
    content = orjson.dumps(document, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY)
    assert writer.stdin is not None
    writer.stdin.write(len(content).to_bytes(_LENGTH_BYTES, "big") + content)
    writer.stdin.flush()


def _plain(value: Any) -> Any:
    """Write what orjson does not: arrays of texts."""
    return value.tolist()


def _close(writer: subprocess.Popen[bytes]) -> None:
    assert writer.stdin is not None
    try:
        writer.stdin.close()
    except OSError:
        # What was in the buffer of a broken pipe is counted as dropped or still queued.
        logger.debug("the sample writer's pipe was broken")

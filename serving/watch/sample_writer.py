"""`python -m serving.watch.sample_writer`: the process that writes sampled records into Parquet files.

It reads frames from standard input: four bytes, big-endian, say the length of a JSON value. An object introduces the
next table (its columns and predictions), a list holds sampled rows of the table whose number stands first. The process
ends when its input does, with everything written; signals that ask it to stop are the endpoint's to act upon.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

_LENGTH_BYTES = 4
_READ_BYTES = 1 << 20
_WAIT_SECONDS = 0.2
_RETRY_SECONDS = 1.0
_SAY_SECONDS = 60.0
_ABANDONED_SECONDS = 600.0


class Frames:
    """Cuts frames out of what a pipe gives."""

    def __init__(self, descriptor: int) -> None:
        self.ended = False
        self._descriptor = descriptor
        self._buffer = bytearray()

    def arrived(self, seconds: float) -> Iterator[bytes]:
        """Wait for input, for so many seconds at most, and yield the frames that are complete."""
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return
        content = os.read(self._descriptor, _READ_BYTES)
        self.ended = not content
        self._buffer += content
        place = 0
        while len(self._buffer) - place >= _LENGTH_BYTES:
            start = place + _LENGTH_BYTES
            end = start + int.from_bytes(self._buffer[place:start], "big")
            if end > len(self._buffer):
                break
            yield bytes(self._buffer[start:end])
            place = end
        del self._buffer[:place]


def remove_abandoned(folder: Path) -> None:
    """Remove files that a killed writer left half written; no writer takes minutes for one."""
    for path in folder.glob("model=*/version=*/date=*/.*.tmp"):
        try:
            if time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()
        except FileNotFoundError:
            # Another worker's writer was faster.
            continue


def main(arguments: list[str]) -> int:
    """Write samples until the input ends.

    Args:
        arguments: The folder, rows per file, seconds per file.

    Returns:
        The exit code: 0, or 1 where rows could not be written at the end.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # These take a moment; the signals must be ignored before.
    import orjson  # noqa: PLC0415

    from serving.watch.sample_files import SampleFiles  # noqa: PLC0415

    folder = Path(arguments[0])
    remove_abandoned(folder)
    files = SampleFiles(folder, int(arguments[1]), float(arguments[2]))
    frames = Frames(sys.stdin.fileno())
    said = 0.0
    while not frames.ended:
        for frame in frames.arrived(_WAIT_SECONDS):
            document: Any = orjson.loads(frame)
            files.introduce(document) if isinstance(document, dict) else files.add(document)
        while (error := files.write_due()) is not None:
            # Nothing more is read meanwhile, so that the endpoint's queue fills and drops: no memory grows.
            said = _say(error, said)
            sleep(_RETRY_SECONDS)
    error = files.write_all()
    if error is not None:
        print(f"cannot write samples, {files.rows} rows are lost: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _say(error: OSError, said: float) -> float:
    """Say what keeps files from being written, once a minute; return when it was said last."""
    now = monotonic()
    if said and now - said < _SAY_SECONDS:
        return said
    print(f"cannot write samples, trying again: {error}", file=sys.stderr, flush=True)
    return now


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

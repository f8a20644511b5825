"""How long work waits for the one thread that does it, where its size is known beforehand."""

from __future__ import annotations

from time import perf_counter

_FOLLOW = 0.2


class Backlog:
    """Work that is done one piece after the other, in the order it came; what a byte of it costs is measured."""

    def __init__(self) -> None:
        self._bytes = 0
        self._per_byte = 0.0
        # When the thread began with what it does now: when that came, or when the piece before it was done.
        self._began = 0.0

    @property
    def seconds(self) -> float:
        """How long a piece that came now would wait."""
        return self._bytes * self._per_byte

    def begin(self, size: int) -> None:
        """A piece of so many bytes has come, at least one."""
        if not self._bytes:
            self._began = perf_counter()
        self._bytes += size

    def end(self, size: int) -> None:
        """The oldest piece is done."""
        now = perf_counter()
        per_byte = (now - self._began) / size
        self._per_byte += (per_byte - self._per_byte) * (_FOLLOW if self._per_byte else 1.0)
        self._began = now
        self._bytes -= size

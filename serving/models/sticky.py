"""Which part of a model's requests one request belongs to."""

from __future__ import annotations

from hashlib import blake2b

_HASH_BYTES = 8
# The golden ratio's fraction: its multiples, without their whole parts, stay evenly spread however many there are.
_TURN = 0.6180339887498949


class _Turns:
    """Deals requests that have no name: evenly, whatever their number."""

    def __init__(self) -> None:
        self._at = 0.0

    def next(self) -> float:
        self._at = (self._at + _TURN) % 1.0
        return self._at


_turns = _Turns()


def place(model: str, name: str) -> float:
    """Return where a request stands between 0 and 100; those that stand below a canary's percentage go to it.

    The place of a name is the same in every process and for every version, so that a growing percentage only moves
    requests to the canary, never away from it. Requests without a name are dealt by turns.
    """
    if not name:
        return 100 * _turns.next()
    digest = blake2b(f"{model}\0{name}".encode(errors="surrogatepass"), digest_size=_HASH_BYTES).digest()
    # As many bits as a float holds exactly, so that nothing rounds up to 100.
    return 100 * ((int.from_bytes(digest) >> 11) / (1 << 53))

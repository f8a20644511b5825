"""Instants written as `2013-01-31T10:00:00Z`, the commonest form, read a word of eight characters at a time."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.codes import there

Words = NDArray[np.uint64]

_LENGTH = 20
# So many rows at a time, what is made of them stays in the processor's cache.
_BLOCK = 8_192
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_YEARS = 10_000
# The text cut into three words that together cover it; `#` stands for a digit.
_WORDS = ((0, "####-##-"), (8, "##T##:##"), (12, "#:##:##Z"))


def read_seconds(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read the texts that are written in exactly this form, with `T` and `Z` and whole seconds.

    Args:
        texts: Strings; nulls cannot be read.

    Returns:
        Microseconds since 1970 UTC, int64 [n], and whether each text has the form and names an instant that the
        calendar has, bool [n]; anything in the first where the second is False.
    """
    micros, ok = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.bool_)
    _, offset_buffer, data = texts.buffers()
    if data is None or data.size < _LENGTH:
        return micros, ok
    offsets = np.frombuffer(offset_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    # Any place where a text can begin, and the twenty bytes from there on.
    begun = np.ndarray((data.size - _LENGTH + 1,), f"V{_LENGTH}", np.frombuffer(data, np.uint8), strides=(1,))
    for start in range(0, len(texts), _BLOCK):
        bounds = offsets[start : start + _BLOCK + 1]
        cut = begun[np.minimum(bounds[:-1], len(begun) - 1)]
        words = (np.ndarray(len(cut), "<u8", cut, place, _LENGTH).astype(np.uint64) for place, _ in _WORDS)
        first, second, third = words
        form = _has_form(first, 0) & _has_form(second, 1) & _has_form(third, 2) & (np.diff(bounds) == _LENGTH)
        block = slice(start, start + len(cut))
        micros[block], exists = _instants(_pairs(first), _pairs(second), _pairs(third))
        ok[block] = form & exists
    if texts.null_count:
        # Something may still stand in the memory of a text that means null.
        ok &= there(texts)
    return micros, ok


def _has_form(word: Words, which: int) -> NDArray[np.bool_]:
    """Tell where each of the eight bytes is the digit or the sign that stands there."""
    digits, signs = _masks(which)
    others = (word ^ signs) & ~digits
    # In a digit's byte the high half is 3, and adding 6 does not carry into it.
    nibbles = (word | (word + (digits & _byte(0x06)))) & digits & _byte(0xF0)
    return np.asarray((others | (nibbles ^ (digits & _byte(0x30)))) == 0)


@lru_cache
def _masks(which: int) -> tuple[np.uint64, np.uint64]:
    pattern = _WORDS[which][1]
    digits = bytes(0xFF if sign == "#" else 0 for sign in pattern)
    signs = bytes(0 if sign == "#" else ord(sign) for sign in pattern)
    return np.uint64(int.from_bytes(digits, "little")), np.uint64(int.from_bytes(signs, "little"))


def _byte(value: int) -> np.uint64:
    return np.uint64(value * 0x0101010101010101)


def _pairs(word: Words) -> Words:
    """Return words whose byte k holds the number that the digits k and k + 1 write, where both are digits."""
    digits = word & _byte(0x0F)
    return digits * np.uint64(10) + (digits >> np.uint64(8))


def _at(pairs: Words, byte: int) -> NDArray[np.int64]:
    return ((pairs >> np.uint64(8 * byte)) & np.uint64(0xFF)).view(np.int64)


def _instants(first: Words, second: Words, third: Words) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    year, month, day = _at(first, 0) * 100 + _at(first, 2), _at(first, 5), _at(second, 0)
    hour, minute, second_ = _at(second, 3), _at(second, 6), _at(third, 5)
    starts, lengths = _months()
    # Where a text has another form its numbers mean nothing, and must only not lead outside the table.
    place = np.clip(year * 12 + month - 1, 0, len(starts) - 1)
    exists = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= lengths[place])
    exists &= (hour <= 23) & (minute <= 59) & (second_ <= 59)
    return (starts[place] + day - 1) * _DAY + ((hour * 60 + minute) * 60 + second_) * _SECOND, exists


@lru_cache
def _months() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first day of every month of the years 0 to 9999, in days since 1970, and its number of days."""
    firsts = np.arange("0000-01", f"{_YEARS}-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return firsts[:-1], np.diff(firsts)

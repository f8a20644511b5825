"""128-bit hashes of rows: vectorised, and the same whatever the partitioning, encoding or library version.

Splits and duplicates rest on these numbers, so they are our own few lines rather than a library's: every value is cut
into 64-bit words, and each word is mixed into the state with the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast
Splittable Pseudorandom Number Generators", 2014). Two lanes that start from different states give 128 bits: among
10^9 distinct rows the odds that any two share a hash are below 10^18 / 2^129, 1 in 10^20. The hash is not meant to
withstand somebody who constructs collisions on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.preprocessing.columns import one_array

Words = NDArray[np.uint64]

LANES = (0x243F6A8885A308D3, 0x13198A2E03707344)
# A null is a word that no length and no typed value starts from.
_NULL = 0xA4093822299F31D0
_WORD = 0xFFFFFFFFFFFFFFFF
# Of so few rows Python's own numbers are faster: a text of megabytes has hundreds of thousands of words.
_FEW = 8


def _mix(state: Words) -> Words:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return state


def hash_rows(columns: Sequence[pa.ChunkedArray | pa.Array], rows: int, seed: int) -> Words:
    """Hash rows over columns in order.

    Null differs from zero and from the empty string; -0.0 equals 0.0.

    Args:
        columns: Each with `rows` values: string, integer, float64, boolean, date32 or timestamp; or a dictionary.
        rows: The number of rows.
        seed: The starting state: one of `LANES`, or `seed_of` a salt.

    Returns:
        uint64 [rows].
    """
    return np.asarray(hash_lanes(columns, rows, [seed])[0])


def hash_lanes(columns: Sequence[pa.ChunkedArray | pa.Array], rows: int, seeds: Sequence[int]) -> Words:
    """Hash rows as `hash_rows` does from several seeds at once: uint64 [seeds, rows]."""
    states = np.repeat(np.array(seeds, dtype=np.uint64)[:, None], rows, axis=1)
    for column in columns:
        array = one_array(column)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        before = states
        states = _hash_strings(array, states) if pa.types.is_string(array.type) else _mix(states ^ _words(array))
        if array.null_count:
            missing = array.is_null().to_numpy(zero_copy_only=False)
            states[:, missing] = _mix(_mix(before[:, missing] ^ np.uint64(_NULL)))
    return states


def seed_of(salt: str) -> int:
    """Return the starting state that stands for a salt."""
    return int(hash_rows([pa.array([salt], type=pa.string())], 1, LANES[0])[0])


def _words(array: pa.Array) -> Words:
    """Return each fixed-width value as one word; anything where it is null."""
    if pa.types.is_floating(array.type):
        values = array.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
        return np.asarray(values + 0.0, dtype=np.float64).view(np.uint64)
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    integers = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray(integers, dtype=np.int64).view(np.uint64)


def _hash_strings(array: pa.Array, states: Words) -> Words:
    """Mix each string's length and bytes into its row's states, eight bytes of all rows at a time."""
    _, offsets_buffer, data = array.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[array.offset : array.offset + len(array) + 1].astype(
        np.int64
    )
    lengths = np.diff(offsets)
    # Eight bytes of slack let the last word of the last string be read whole; the bytes past its end are masked off.
    padded = np.zeros((0 if data is None else data.size) + 8, dtype=np.uint8)
    if data is not None:
        padded[:-8] = np.frombuffer(data, dtype=np.uint8)
    words = np.ndarray(shape=(len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
    states = _mix(states ^ lengths.astype(np.uint64))
    rows = np.flatnonzero(lengths > 0)
    position = 0
    while len(rows) > _FEW:
        left = np.minimum(lengths[rows] - position, 8)
        mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> ((8 - left) * 8).astype(np.uint64)
        states[:, rows] = _mix(states[:, rows] ^ (words[offsets[rows] + position] & mask))
        position += 8
        rows = rows[lengths[rows] > position]
    for row in rows.tolist():
        rest = padded[offsets[row] + position : offsets[row] + lengths[row]].tobytes()
        left_over = np.frombuffer(rest + bytes(-len(rest) % 8), dtype="<u8").tolist()
        for lane in range(len(states)):
            states[lane, row] = _mixed(int(states[lane, row]), left_over)
    return states


def _mixed(state: int, words: Sequence[int]) -> int:
    """Mix the words of one string into one state, one after the other: what `_mix` does, for long texts in few rows."""
    for word in words:
        state = ((state ^ word) + 0x9E3779B97F4A7C15) & _WORD
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _WORD
        state ^= state >> 31
    return state

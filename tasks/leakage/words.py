"""Values and rows as 64-bit words, equal where they are equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.hashing import LANES, hash_rows
from tasks.preprocessing.columns import one_array

Words = NDArray[np.uint64]


def value_words(column: pa.ChunkedArray | pa.Array) -> Words:
    """Hash each value of a column, null included; uint64 [N].

    Each distinct text is hashed once, so a long column of few words costs little more than its codes.
    """
    array = one_array(column)
    if pa.types.is_string(array.type):
        array = array.dictionary_encode()
    if not pa.types.is_dictionary(array.type):
        return hash_rows([array], len(array), LANES[0])
    dictionary = pa.concat_arrays([array.dictionary, pa.nulls(1, array.dictionary.type)])
    hashed = hash_rows([dictionary], len(dictionary), LANES[0])
    indices = array.indices.fill_null(len(dictionary) - 1) if array.null_count else array.indices
    codes = indices.to_numpy(zero_copy_only=False)
    return np.asarray(hashed[codes], dtype=np.uint64)


def row_words(words: Sequence[Words], seed: int = LANES[1]) -> Words:
    """Hash rows over the words of their columns, in order; uint64 [N]."""
    return hash_rows([pa.array(each.view(np.int64)) for each in words], len(words[0]), seed)


def sampled(first: int, rows: int, share: float) -> NDArray[np.bool_]:
    """Draw rows by their place in the dataset, so that any partitioning draws the same ones.

    Args:
        first: The first row's place.
        rows: How many rows follow one another.
        share: About which share of them is drawn.

    Returns:
        bool [rows].
    """
    if share >= 1:
        return np.ones(rows, dtype=np.bool_)
    places = pa.array(np.arange(first, first + rows, dtype=np.int64))
    return hash_rows([places], rows, LANES[0]) < np.uint64(int(share * 2**64))

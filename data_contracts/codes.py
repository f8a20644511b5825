"""Arrow arrays put together from numpy's: values under a mask, and dictionaries of the smallest indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.signedinteger[Any]]


def validity(held: NDArray[np.bool_]) -> pa.Buffer:
    """Return the bitmap of an array that has values where the mask says so."""
    return pa.py_buffer(np.packbits(held, bitorder="little"))


def there(array: pa.Array) -> NDArray[np.bool_]:
    """Return where an array has a value, bool [N]; faster than by a kernel whose bits are then made bytes."""
    bitmap = array.buffers()[0]
    if bitmap is None:
        return np.full(len(array), not array.null_count)
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), count=array.offset + len(array), bitorder="little")
    return np.asarray(bits[array.offset :].view(np.bool_))


def masked(values: NDArray[Any], held: NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    """Return numbers as an Arrow array that shares their memory.

    Args:
        values: [N], of the width of `kind`; what stands under a null is written with the rest, so it should be zero.
        held: bool [N], False for null.
        kind: The Arrow type.
    """
    missing = len(held) - int(np.count_nonzero(held))
    bitmap = validity(held) if missing else None
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(values)], missing)


def code_type(values: int) -> type[np.signedinteger[Any]]:
    """Return the smallest integer type of the indices of so many values, with room for one index more."""
    return next(kind for kind in (np.int8, np.int16, np.int32) if values <= np.iinfo(kind).max)


def dictionary_of(codes: Codes, values: pa.Array) -> pa.DictionaryArray:
    """Return a dictionary array.

    Args:
        codes: [N], positions in `values`, negative for null; its own memory, which is written to.
        values: Distinct values without null.
    """
    held = codes >= 0
    np.maximum(codes, 0, out=codes)
    return pa.DictionaryArray.from_arrays(masked(codes, held, pa.from_numpy_dtype(codes.dtype)), values, safe=False)


def joined_codes(chunks: Sequence[pa.DictionaryArray], words: Sequence[pa.Array]) -> pa.DictionaryArray:
    """Return chunks of dictionaries as one array whose dictionary has every word once.

    Args:
        chunks: At least one.
        words: For each chunk the strings that its dictionary's entries mean, null for none; words may repeat.
    """
    distinct = pa.concat_arrays(words).dictionary_encode()
    kind = code_type(len(distinct.dictionary))
    # An index of null in a chunk has the place behind its words.
    places = distinct.indices.fill_null(-1).to_numpy().astype(kind)
    codes = np.empty(sum(len(chunk) for chunk in chunks), dtype=kind)
    start = first = 0
    for chunk, own in zip(chunks, words, strict=True):
        # A source's own indices may be of a type that holds no further one.
        indices = chunk.indices.cast(pa.int32()).fill_null(len(own)) if chunk.indices.null_count else chunk.indices
        table = np.append(places[first : first + len(own)], kind(-1))
        table.take(indices.to_numpy(), out=codes[start : start + len(chunk)], mode="clip")
        start, first = start + len(chunk), first + len(own)
    return dictionary_of(codes, distinct.dictionary)

"""What follows a sign that occurs once, such as the domain of an e-mail address, found without capturing.

Capturing is the slowest thing that a regular expression does, and texts that all differ have to be gone through one by
one. For the common form `^[class]+@(group)$`, in which `@` can stand only before the group, cutting every text at its
one `@` comes to the same: the bytes before it are compared with the class's bounds, and the group is matched against
each different rest, which are few.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_contracts.codes import code_type, dictionary_of, there

_CLASS = r"\[[^\\\[\]^][^\\\[\]]*\]"
_FORM = re.compile(
    rf"\^(?P<before>{_CLASS})\+(?P<sign>[@:/#=,;~%& ])\((?P<group>(?:{_CLASS}|[\w-]|\\[.-]|[+*?]|\{{[0-9,]+\}})+)\)\$"
)
# So many bytes at a time stay in the processor's cache.
_BLOCK = 1 << 16
_PARTS = re.compile(rf"{_CLASS}|\\.|\{{[0-9,]+\}}|.")


@dataclass(frozen=True)
class BoundedGroup:
    """A pattern of that form.

    Attributes:
        sign: The byte before the group.
        ordinary: Least and greatest of each stretch of bytes that are the sign, or may stand before it.
        group: The regular expression of the whole group.
    """

    sign: int
    ordinary: tuple[tuple[int, int], ...]
    group: str


@lru_cache
def bounded_group(pattern: str) -> BoundedGroup | None:
    """Return the pattern in parts where it has the form, None where it has not."""
    form = _FORM.fullmatch(pattern)
    if form is None or not pattern.isascii():
        return None
    sign, group = form["sign"], form["group"]
    parts = (part for part in (form["before"], *_PARTS.findall(group)) if part not in "+*?" and part[0] != "{")
    if any(re.fullmatch(part, sign, re.ASCII) for part in parts):
        return None
    ordinary = [byte for byte in range(128) if chr(byte) == sign or re.fullmatch(form["before"], chr(byte), re.ASCII)]
    starts = [byte for byte in ordinary if byte - 1 not in ordinary]
    ends = [byte for byte in ordinary if byte + 1 not in ordinary]
    return BoundedGroup(ord(sign), tuple(zip(starts, ends, strict=True)), f"^(?:{group})$")


def after_sign(texts: pa.StringArray, pattern: BoundedGroup) -> pa.DictionaryArray:
    """Return what the group finds in each text, null where it finds nothing or the empty text."""
    rows = len(texts)
    _, offset_buffer, buffer = texts.buffers()
    if buffer is None or not rows:
        return pa.nulls(rows, pa.string()).dictionary_encode()
    offsets = np.frombuffer(offset_buffer, np.int32)[texts.offset : texts.offset + rows + 1]
    data = np.frombuffer(buffer, np.uint8)[: offsets[-1]]
    signs, strange = np.flatnonzero(data == pattern.sign).astype(np.int32), _strange(data, pattern.ordinary)
    signs_before = np.searchsorted(signs, offsets)
    cut = np.diff(signs_before) == 1
    middles = offsets[1:].copy()
    middles[cut] = signs[signs_before[:-1][cut]] + 1
    # Something stands before the sign, and nothing that may not.
    cut &= middles - offsets[:-1] > 1
    inside = np.searchsorted(offsets, strange, side="right") - 1
    strange, inside = strange[inside >= 0], inside[inside >= 0]
    cut[inside[strange < middles[inside]]] = False
    bounds = np.empty(2 * rows + 1, np.int32)
    bounds[0::2], bounds[1::2] = offsets, middles
    pieces = pa.StringArray.from_buffers(2 * rows, pa.py_buffer(bounds), buffer)
    rests = pieces.take(pa.array(np.arange(1, 2 * rows, 2))).dictionary_encode()
    return _matching(rests, cut & there(texts), pattern.group)


def _strange(data: NDArray[np.uint8], ordinary: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    """Return the positions of the bytes that are in none of the stretches."""
    found = [np.empty(0, np.int64)]
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        inside = np.zeros(len(block), np.bool_)
        for least, greatest in ordinary:
            # What is less than the least wraps around.
            inside |= (block - np.uint8(least)) <= greatest - least
        found.append(np.flatnonzero(~inside) + start)
    return np.concatenate(found).astype(np.int32)


def _matching(rests: pa.DictionaryArray, cut: NDArray[np.bool_], group: str) -> pa.DictionaryArray:
    """Keep the rests that the group matches, in texts that were cut."""
    words = rests.dictionary
    good = pc.and_(pc.match_substring_regex(words, group), pc.not_equal(words, "")).to_numpy(zero_copy_only=False)
    kept = words.filter(pa.array(good))
    codes = np.where(good, np.cumsum(good) - 1, -1).astype(code_type(len(kept)))[rests.indices.to_numpy()]
    codes[~cut] = -1
    return dictionary_of(codes, kept)

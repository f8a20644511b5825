"""Putting texts right before they are read: Unicode form, blanks, case, null markers, synonyms, separators.

The order is: `unicode`, `trim`, `case`, null markers, `synonyms`. Arrow works on ASCII, where its kernels and Python's
`str` agree; every other text goes through Python, so that the endpoint, which has no Arrow, gives the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_contracts.codes import there, validity
from data_contracts.contract import Case, Column, Repair
from data_contracts.instants import read_instants

NULL_MARKERS = frozenset({"", "na", "n/a", "null", "none", "nan"})
ISO = "ISO 8601"

# The last byte of ASCII, and the bytes between which Arrow's kernel for ASCII knows blanks that its other one does not.
_ASCII, _SEPARATORS = 127, (0x1C, 0x1F)

_NULL, _NO = pa.scalar(None, pa.string()), pa.scalar(value=False)
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_CASES: Mapping[Case, tuple[Callable[[pa.Array], pa.Array], Callable[[str], str]]] = {
    "upper": (pc.ascii_upper, str.upper),
    "lower": (pc.ascii_lower, str.lower),
    "title": (pc.ascii_title, str.title),
}


def repaired(words: pa.Array, column: Column) -> pa.Array:
    """Put texts right: null where a text is empty or a null marker that the column's `enum` does not name.

    Args:
        words: Strings, best each distinct one once; two different ones may become equal.
        column: The column that they stand in.
    """
    words = _in_form(words, column.repair)
    marked = _marks(words, column)
    if marked.any():
        words = _without(words, marked)
    synonyms = column.repair.synonyms
    if not synonyms:
        return words
    found = pc.index_in(words, value_set=pa.array(list(synonyms), pa.string()))
    return pc.coalesce(pa.array(list(synonyms.values()), pa.string()).take(found), words)


def own_form(text: str, repair: Repair) -> str:
    """Return one text in the form that a column brings its texts to, before markers and synonyms are looked up."""
    if repair.unicode is not None:
        text = unicodedata.normalize(repair.unicode, text)
    if repair.trim:
        text = text.strip()
    if repair.case is not None:
        text = _CASES[repair.case][1](text)
        if repair.unicode is not None:
            # Another case of a composed letter may be written as two.
            text = unicodedata.normalize(repair.unicode, text)
    return text


def null_markers(repair: Repair) -> frozenset[str]:
    """Return the texts that mean null, with ASCII letters in lower case."""
    if repair.null_markers is None:
        return NULL_MARKERS
    return frozenset({"", *(marker.translate(_ASCII_LOWER) for marker in repair.null_markers)})


def is_null_marker(text: str, column: Column) -> bool:
    """Tell whether a text in the column's own form means null."""
    return text.translate(_ASCII_LOWER) in null_markers(column.repair) and text not in _named(column)


def plain_numbers(words: pa.Array, repair: Repair) -> pa.Array:
    """Write numbers as everywhere else: no separator of thousands, and a point before the fraction.

    Null where a text is not a number with these separators: groups have exactly three digits, or there are none.
    """
    if repair.thousands_separator is None and repair.decimal_separator is None:
        return words
    words = pc.if_else(pc.match_substring_regex(words, f"^{number_pattern(repair)}$"), words, _NULL)
    if repair.thousands_separator is not None:
        words = pc.replace_substring(words, repair.thousands_separator, "")
    if repair.decimal_separator is not None:
        words = pc.replace_substring(words, repair.decimal_separator, ".")
    return words


def number_pattern(repair: Repair) -> str:
    """Return the regular expression of a whole number text with the column's separators."""
    point = re.escape(repair.decimal_separator or ".")
    whole = "[0-9]+"
    if repair.thousands_separator is not None:
        whole = f"(?:[0-9]{{1,3}}(?:{re.escape(repair.thousands_separator)}[0-9]{{3}})+|[0-9]+)"
    return rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"


def date_formats(column: Column) -> tuple[str | None, ...]:
    """Return how dates and timestamps are written, in the order in which they are tried; None is ISO 8601."""
    written = column.repair.formats or (column.options.get("format"),)
    return tuple(None if each == ISO else each for each in written)


def read_dates(words: pa.Array, column: Column) -> tuple[np.ndarray, np.ndarray]:
    """Read texts in the first format that reads each.

    Returns:
        Microseconds since 1970 UTC, int64 [n], and whether each text could be read, bool [n].
    """
    zone = column.options.get("defaultTimezone", "UTC")
    first, *others = date_formats(column)
    micros, ok = read_instants(words, first, zone)
    if others:
        micros = micros.copy()
    for text_format in others:
        if ok.all():
            break
        left = ~ok
        micros[left], ok[left] = read_instants(words.filter(pa.array(left)), text_format, zone)
    return micros, ok


def _in_form(words: pa.Array, repair: Repair) -> pa.Array:
    least, most, separators = _bytes_of(words)
    made = words
    # Most columns have not one blank, and only of ASCII's separators do the two kernels think differently.
    if repair.trim and (least <= ord(" ") or most > _ASCII):
        made = (pc.utf8_trim_whitespace if most > _ASCII or separators else pc.ascii_trim_whitespace)(words)
    if repair.case is None and repair.unicode is None:
        return made
    if repair.case is not None:
        made = _CASES[repair.case][0](made)
    if most <= _ASCII:
        return made
    others = pc.invert(pc.string_is_ascii(words)).fill_null(_NO)
    if not pc.any(others).as_py():
        return made
    encoded = words.filter(others).dictionary_encode()
    texts = pa.array([own_form(text, repair) for text in encoded.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(made, others, texts.take(encoded.indices))


def _bytes_of(words: pa.Array) -> tuple[int, int, bool]:
    """Return the least and the greatest byte in the memory of texts, and whether ASCII's four separators may occur."""
    buffer = words.buffers()[2]
    data = np.frombuffer(b"" if buffer is None else buffer, np.uint8)
    if not data.size:
        return ord("a"), ord("a"), False
    least = int(data.min())
    return (
        least,
        int(data.max()),
        least < ord(" ") and bool(((data >= _SEPARATORS[0]) & (data <= _SEPARATORS[1])).any()),
    )


def _without(words: pa.Array, marked: NDArray[np.bool_]) -> pa.Array:
    """Return null in place of the marked texts; all others stay where they lie in memory."""
    if words.offset:
        return pc.if_else(pa.array(marked), _NULL, words)
    held = there(words) & ~marked
    _, offsets, data = words.buffers()
    return pa.Array.from_buffers(words.type, len(words), [validity(held), offsets, data])


def _marks(words: pa.Array, column: Column) -> NDArray[np.bool_]:
    markers = null_markers(column.repair)
    # Lower-casing ASCII keeps lengths, so a longer text is no marker; most texts are longer than most markers.
    longest = max(len(marker.encode()) for marker in markers)
    short = pc.less_equal(pc.binary_length(words), longest).fill_null(_NO).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(short)
    marked = pc.is_in(pc.ascii_lower(words.take(pa.array(rows))), value_set=pa.array(sorted(markers), pa.string()))
    short[rows] = marked.to_numpy(zero_copy_only=False)
    if short.any() and (named := _named(column)):
        rows = np.flatnonzero(short)
        meant = pc.is_in(words.take(pa.array(rows)), value_set=pa.array(sorted(named), pa.string()))
        short[rows] = ~meant.to_numpy(zero_copy_only=False)
    return np.asarray(short)


def _named(column: Column) -> frozenset[str]:
    return frozenset(str(value) for value in column.enum or ())

"""The texts of a request, put right as the contract's data is before it is read.

This room imports no other, so that the endpoint installs alone: what `data_contracts.repair` does with Arrow stands
here for Python's `str`, and a test holds the two to each other.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from serving.bundle.manifest import InputSpec, TextRepair

NULL_MARKERS = frozenset({"", "na", "n/a", "null", "none", "nan"})

_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_CASES: dict[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "title": str.title}
_INTEGER = re.compile(r"[+-]?[0-9]+(?:\.0*)?")
_TRUE, _FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")
_LARGEST_INT64 = 2**63 - 1


class Texts:
    """Puts the texts of one input right: null where a text is empty, or a null marker that its `enum` does not name."""

    def __init__(self, spec: InputSpec) -> None:
        self._form = _own_form(spec.repair)
        self._usual = spec.repair.null_markers is None
        self._markers = _null_markers(spec.repair)
        self._named = frozenset(str(value) for rule in spec.rules if rule.kind == "enum" for value in rule.argument)
        self._synonyms = spec.repair.synonyms

    def repaired(self, values: list[Any]) -> list[Any]:
        """Return the values of a column put right; as they are where one is neither text nor null."""
        try:
            texts = [value if value is None else self._form(value) for value in values]
        except (AttributeError, TypeError):
            # Something is no text; reading the column will find what.
            return values
        # No letter beyond ASCII becomes one of the usual markers' in lower case, and `lower` is the fastest.
        fold = str.lower if self._usual else _ascii_lower
        if not self._markers.isdisjoint(fold(text) for text in texts if text is not None):
            texts = [None if text is not None and self._is_null(text) else text for text in texts]
        if self._synonyms:
            texts = [text if text is None else self._synonyms.get(text, text) for text in texts]
        return texts

    def _is_null(self, text: str) -> bool:
        return _ascii_lower(text) in self._markers and text not in self._named


def number_reader(spec: InputSpec) -> Callable[[Any], Any] | None:
    """Return how the texts of a number or boolean are read, which raises TypeError or ValueError for any other text.

    None where the contract repairs no text of this column: then it comes as JSON's own numbers alone.
    """
    repair = spec.repair
    written = repair.thousands_separator, repair.decimal_separator, repair.null_markers
    if spec.logical_type not in _READERS or (written == (None, None, None) and not repair.synonyms):
        return None
    pattern = re.compile(_number_pattern(repair))
    thousands, decimal, read = repair.thousands_separator, repair.decimal_separator, _READERS[spec.logical_type]

    def plain(value: str) -> Any:
        if spec.logical_type != "boolean":
            if pattern.fullmatch(value) is None:
                raise ValueError(value)
            value = value.replace(thousands, "") if thousands else value
            value = value.replace(decimal, ".") if decimal else value
        return read(value)

    return plain


def _own_form(repair: TextRepair) -> Callable[[str], str]:
    if repair.trim and repair.unicode is None and repair.case is None:
        return str.strip
    cased = None if repair.case is None else _CASES[repair.case]
    form = repair.unicode

    def own(text: str) -> str:
        if form is not None:
            text = unicodedata.normalize(form, text)
        text = text.strip() if repair.trim else text
        if cased is None:
            # Refuses what is no text, as `strip` does.
            return str.__str__(text)
        text = cased(text)
        # Another case of a composed letter may be written as two.
        return text if form is None else unicodedata.normalize(form, text)

    return own


def _null_markers(repair: TextRepair) -> frozenset[str]:
    if repair.null_markers is None:
        return NULL_MARKERS
    return frozenset({"", *map(_ascii_lower, repair.null_markers)})


def _ascii_lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


def _number_pattern(repair: TextRepair) -> str:
    point = re.escape(repair.decimal_separator or ".")
    whole = "[0-9]+"
    if repair.thousands_separator is not None:
        whole = f"(?:[0-9]{{1,3}}(?:{re.escape(repair.thousands_separator)}[0-9]{{3}})+|[0-9]+)"
    return rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _integer(text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(text)
    value = int(text.partition(".")[0])
    if not -_LARGEST_INT64 - 1 <= value <= _LARGEST_INT64:
        raise ValueError(text)
    return value


def _boolean(text: str) -> bool:
    # Refuses what is no text by a TypeError.
    lower = str.lower(text)
    if lower not in _TRUE and lower not in _FALSE:
        raise ValueError(text)
    return lower in _TRUE


_READERS: dict[str, Callable[[str], Any]] = {"number": _number, "integer": _integer, "boolean": _boolean}

"""Dates and timestamps written as text: ISO 8601 by default, or a pattern in the words of Java's DateTimeFormatter."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.codes import there
from data_contracts.errors import ContractError
from data_contracts.instants_fast import read_seconds

UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT"})
SECOND = 1_000_000
DAY = 86_400 * SECOND

_ISO = (
    r"^(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r" ?(?P<offset>Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?)?$"
)
_LETTERS = {
    "yyyy": "(?P<year>[0-9]{4})",
    "uuuu": "(?P<year>[0-9]{4})",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "dd": "(?P<day>[0-9]{2})",
    "d": "(?P<day>[0-9]{1,2})",
    "HH": "(?P<hour>[0-9]{2})",
    "H": "(?P<hour>[0-9]{1,2})",
    "mm": "(?P<minute>[0-9]{2})",
    "ss": "(?P<second>[0-9]{2})",
    "XXX": "(?P<offset>Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    "XX": "(?P<offset>Z|[+-](?:[01][0-9]|2[0-3])[0-5][0-9])",
    "Z": "(?P<offset>[+-](?:[01][0-9]|2[0-3])[0-5][0-9])",
}
# The commonest way to write an instant, which has a reader of its own.
_SECONDS_FORMAT = "yyyy-MM-dd'T'HH:mm:ssXXX"
_TOKEN = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>[^A-Za-z'])")


@lru_cache
def instant_pattern(text_format: str | None) -> str:
    """Return the regular expression (RE2, named groups) that reads a date format.

    Args:
        text_format: A format such as `dd/MM/yyyy HH:mm`; without one, ISO 8601 with an optional time and offset.

    Raises:
        ContractError: The format uses a letter that is not supported, or names no full date.
    """
    if text_format is None:
        return _ISO
    parts: list[str] = []
    position = 0
    while position < len(text_format):
        token = _TOKEN.match(text_format, position)
        if token is None:
            raise ContractError(f"date format {text_format!r}: a quote is not closed")
        parts.append(_expression(token, text_format))
        position = token.end()
    pattern = f"^{''.join(parts)}$"
    if any(f"?P<{group}>" not in pattern for group in ("year", "month", "day")):
        raise ContractError(f"date format {text_format!r}: expected a year, a month and a day")
    return pattern


def _expression(token: re.Match[str], text_format: str) -> str:
    if (quoted := token["quoted"]) is not None:
        return re.escape(quoted.replace("''", "'") or "'")
    if (letters := token["letters"]) is None:
        return re.escape(token["other"])
    if set(letters) == {"S"}:
        return f"(?P<fraction>[0-9]{{{len(letters)}}})"
    if letters not in _LETTERS:
        supported = ", ".join([*_LETTERS, "S"])
        raise ContractError(f"date format {text_format!r}: got {letters!r}, expected one of {supported}")
    return _LETTERS[letters]


def read_instants(texts: pa.Array, text_format: str | None, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Read texts as instants.

    Args:
        texts: Strings; nulls cannot be read.
        text_format: See `instant_pattern`.
        zone: The time zone of texts without an offset, by its IANA name.

    Returns:
        Microseconds since 1970 UTC, int64 [n], and whether each text could be read, bool [n]. A day that the
        calendar does not have (30 February) cannot be read.
    """
    if instant_pattern(text_format) in {_ISO, instant_pattern(_SECONDS_FORMAT)}:
        micros, ok = read_seconds(texts)
        others = np.flatnonzero(~ok & there(texts))
        if len(others):
            micros[others], ok[others] = _read_any(texts.take(pa.array(others)), text_format, zone)
        return micros, ok
    return _read_any(texts, text_format, zone)


def _read_any(texts: pa.Array, text_format: str | None, zone: str) -> tuple[np.ndarray, np.ndarray]:
    found = pc.extract_regex(texts, instant_pattern(text_format))
    ok = found.is_valid().to_numpy(zero_copy_only=False)
    year, month, day = (_part(found, name, 1) for name in ("year", "month", "day"))
    hour, minute, second = (_part(found, name, 0) for name in ("hour", "minute", "second"))
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    ok &= (year >= 1) & (month >= 1) & (month <= 12) & (days.astype("datetime64[M]") == months) & (day >= 1)
    ok &= (hour <= 23) & (minute <= 59) & (second <= 59)
    micros = days.astype(np.int64) * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + _fraction(found)
    return _to_utc(micros, _texts(found, "offset"), zone), ok


def _texts(found: pa.StructArray, name: str) -> pa.Array | None:
    return found.field(name).fill_null("") if found.type.get_field_index(name) >= 0 else None


def _part(found: pa.StructArray, name: str, default: int) -> np.ndarray:
    texts = _texts(found, name)
    if texts is None:
        return np.full(len(found), default, np.int64)
    filled = pc.if_else(pc.equal(texts, ""), str(default), texts)
    return np.asarray(filled.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _fraction(found: pa.StructArray) -> np.ndarray:
    texts = _texts(found, "fraction")
    if texts is None:
        return np.zeros(len(found), np.int64)
    digits = pc.utf8_slice_codeunits(pc.utf8_rpad(texts, 6, padding="0"), 0, 6)
    return np.asarray(digits.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _to_utc(micros: np.ndarray, offsets: pa.Array | None, zone: str) -> np.ndarray:
    if zone in UTC_NAMES:
        unmarked = micros
    else:
        local = pa.array(micros.view("datetime64[us]"))
        placed = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
        unmarked = placed.cast(pa.int64()).to_numpy()
    if offsets is None:
        return unmarked
    none = pc.equal(offsets, "").to_numpy(zero_copy_only=False)
    signed = pc.if_else(pc.or_(pc.equal(offsets, ""), pc.equal(offsets, "Z")), "+0000", offsets)
    digits = pc.replace_substring(signed, ":", "")
    hours = pc.utf8_slice_codeunits(digits, 1, 3).cast(pa.int64()).to_numpy(zero_copy_only=False)
    minutes = pc.utf8_slice_codeunits(digits, 3, 5).cast(pa.int64()).to_numpy(zero_copy_only=False)
    sign = np.where(pc.starts_with(digits, "-").to_numpy(zero_copy_only=False), -1, 1)
    return np.where(none, unmarked, micros - sign * (hours * 60 + minutes) * 60 * SECOND)

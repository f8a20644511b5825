"""The rules of a contract that a column keeps and that are worth having: ranges with room, small sets, patterns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from data_contracts.formats import STRING_FORMATS
from tasks.profiling.facts import ColumnFacts
from tasks.profiling.words import words_of

_SET, _ROWS_EACH, _CLASSES_MOST = 12, 10, 24
# A set whose rarest value came so seldom has most likely more values than were seen.
_RAREST = 5
# What is called so gets new values as the world goes on: a rule that names today's would break for no fault of theirs.
_OPEN = frozenset({
    "agent", "airline", "airport", "artist", "author", "brand", "browser", "campaign", "carrier", "category",
    "city", "code", "comment", "comments", "company", "country", "county", "currency", "department", "description",
    "device", "doctor", "driver", "employer", "host", "item", "job", "land", "language", "make", "manufacturer",
    "merchant", "model", "name", "nation", "nationality", "neighborhood", "note", "notes", "occupation", "ort",
    "os", "plz", "postal", "postcode", "product", "profession", "project", "province", "seller", "shop", "sku",
    "stadt", "state", "station", "store", "study", "supplier", "tag", "team", "text", "title", "town", "url",
    "vendor", "version", "zip", "zipcode",
})  # fmt: skip
# So many deviations above the mean (or below) a tail is long, and its next value may be far beyond the last.
_LONG_TAIL, _TAIL_ROOM = 6.0, 9
_CODES, _CODE_LENGTH = 5, 32
_EXACT = 2**53
_FORMATS = ("email", "uuid", "ipv4", "ipv6", "uri")
_SHARES = frozenset({"share", "rate", "ratio", "probability", "proportion", "fraction"})
_EARTH = {"latitude": 90, "lat": 90, "longitude": 180, "lon": 180, "lng": 180}
_PERCENT = frozenset({"percent", "pct", "percentage", "humidity"})
_RUNS = re.compile(r"[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]")
_CLASSES = {"A": "[A-Z]", "a": "[a-z]", "9": "[0-9]"}
_QUALIFYING = re.compile(r"[0-9]|^[A-Z]+$")


@dataclass(frozen=True)
class ColumnRules:
    """What a contract demands of a column.

    Attributes:
        required: No row is without a value.
        enum: The only values; empty where any may come.
        options: The standard's `logicalTypeOptions`.
        most_nulls: The greatest share of rows in percent that may be without a value; None where nothing is said.
        why: What the range and the set were made of, in a few words.
    """

    required: bool
    enum: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    most_nulls: int | None = None
    why: str = ""


def rules_of(facts: ColumnFacts, *, predicted: bool = False) -> ColumnRules:
    """Return the rules for a column; that they hold is for a pass over all rows to prove.

    Args:
        facts: What is known of it.
        predicted: Whether it is what is predicted, whose classes are a closed set: a model has no other answers.
    """
    share = facts.nulls / facts.rows if facts.rows else 0.0
    nulls = min(100, 5 * math.ceil(20 * share + 1)) if 0 < share < 0.9 else None
    found: dict[str, Any] = {"required": not facts.nulls, "most_nulls": nulls if nulls != 100 else None}
    if not facts.told:
        return ColumnRules(**found)
    if (enum := _enum(facts, predicted=predicted)) and not facts.unreadable:
        return ColumnRules(**found, enum=enum, why=f"{len(enum)} values")
    if facts.kind == "string":
        options, why = _texts(facts)
    elif facts.kind in {"date", "timestamp"}:
        options, why = _instants(facts)
    else:
        options, why = _numbers(facts)
    return ColumnRules(**found, options=options, why=why)


def _enum(facts: ColumnFacts, *, predicted: bool) -> tuple[Any, ...]:
    """Return the values of a small closed set, each of which came often; nothing for a set that may grow.

    More than two whole numbers count or grade something, and have a range instead.
    """
    if facts.kind not in {"string", "integer"} or len(facts.values) < 2:
        return ()
    most = _CLASSES_MOST if predicted else 2 if facts.kind == "integer" else _SET
    if len(facts.values) > most or facts.told < _ROWS_EACH * len(facts.values):
        return ()
    if not predicted and (min(facts.values.values()) < _RAREST or _may_grow(facts)):
        return ()
    return tuple(sorted(facts.values))


def _may_grow(facts: ColumnFacts) -> bool:
    if facts.kind != "string" or len(facts.values) <= 2:
        return False
    numbered = sum(any(map(str.isdigit, str(value))) for value in facts.values)
    return bool(set(words_of(facts.name)) & _OPEN) or 2 * numbered > len(facts.values)


def _numbers(facts: ColumnFacts) -> tuple[dict[str, Any], str]:
    low, high = facts.minimum, facts.maximum
    if facts.kind == "boolean" or low is None or high is None or max(abs(low), abs(high)) >= _EXACT:
        return {}, ""
    words = set(words_of(facts.name))
    said = f"{_plain(low)} to {_plain(high)}"
    if facts.kind == "number" and words & _SHARES and low >= 0 and high <= 1:
        return {"minimum": 0, "maximum": 1}, said
    if words & _PERCENT and low >= 0 and high <= 100:
        return {"minimum": 0, "maximum": 100}, said
    degrees = next((_EARTH[word] for word in words if word in _EARTH), 0)
    if degrees and max(abs(low), abs(high)) <= degrees:
        return {"minimum": -degrees, "maximum": degrees}, said
    room = max(high - low, abs(high) * 0.1, 0.0) / 2
    if not room:
        return {}, said
    below, above = _with_tail(facts, room)
    least = 0 if low >= 0 and low - below < 0 else _rounded(low - below, below, up=False)
    return {"minimum": least, "maximum": _rounded(high + above, above, up=True)}, said


def _with_tail(facts: ColumnFacts, room: float) -> tuple[float, float]:
    """Return the room below and above, which is wider where a long tail ends."""
    if facts.mean is None or facts.minimum is None or facts.maximum is None or facts.deviation <= 0:
        return room, room
    reach = facts.mean - facts.minimum, facts.maximum - facts.mean
    below, above = (_TAIL_ROOM * far if far > _LONG_TAIL * facts.deviation else room for far in reach)
    return below, above


def _rounded(value: float, room: float, *, up: bool) -> int | float:
    """Return a bound with as many digits as the room has one of."""
    step = 10.0 ** math.floor(math.log10(room))
    steps = math.ceil(value / step) if up else math.floor(value / step)
    digits = max(0, -math.floor(math.log10(step)))
    found = round(steps * step, digits)
    return int(found) if found == int(found) else found


def _plain(value: float) -> str:
    return f"{int(value):,}" if value == int(value) and abs(value) < _EXACT else f"{value:.6g}"


def _instants(facts: ColumnFacts) -> tuple[dict[str, Any], str]:
    if facts.minimum is None or facts.maximum is None:
        return {}, ""
    first, last = _day(facts.minimum), _day(facts.maximum)
    year = int(first[:4])
    # Later rows will be later: only the past has a bound.
    least = f"{max(1, year - 1):04d}-01-01"
    return {"minimum": least if facts.kind == "date" else f"{least}T00:00:00Z"}, f"{first} to {last}"


def _day(micros: float) -> str:
    try:
        return datetime.fromtimestamp(micros / 1e6, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "0001-01-01" if micros < 0 else "9999-12-31"


def _texts(facts: ColumnFacts) -> tuple[dict[str, Any], str]:
    for name in _FORMATS:
        if facts.sample and all(re.match(STRING_FORMATS[name], text) for text in facts.sample):
            return {"format": name}, f"{facts.distinct:,} values"
    pattern = code_pattern(facts.sample)
    if pattern is not None:
        return {"pattern": pattern}, f"{facts.distinct:,} codes"
    longest = max(2 * facts.longest, 8)
    step = 10 ** max(0, len(str(longest)) - 1)
    texts = "one text" if facts.distinct == 1 else f"{facts.distinct:,} texts"
    return {"maxLength": math.ceil(longest / step) * step}, f"{texts} of at most {facts.longest} letters"


def code_pattern(texts: Sequence[str]) -> str | None:
    """Return the regular expression (RE2) of codes such as `AB-1234` that all have one form; None for other texts.

    Stretches of letters and digits whose lengths differ may be twice as long as what was seen, for counters go on;
    signs between them must be the same.
    """
    if len(texts) < _CODES or any(len(text) > _CODE_LENGTH or not text.isascii() for text in texts):
        return None
    if not all(map(_QUALIFYING.search, texts)) or any(" " in text for text in texts):
        return None
    forms = [_RUNS.findall(text) for text in texts]
    kinds = {tuple(map(_kind, form)) for form in forms}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if len(kind) == 1 and kind[0] == "a":
        return None
    parts = []
    for place, each in enumerate(kind):
        lengths = {len(form[place]) for form in forms}
        times = f"{min(lengths)}" if len(lengths) == 1 else f"1,{2 * max(lengths)}"
        once = each not in _CLASSES or times == "1"
        parts.append((_CLASSES.get(each) or re.escape(each)) + ("" if once else f"{{{times}}}"))
    return f"^{''.join(parts)}$"


def _kind(run: str) -> str:
    return "A" if run.isupper() else "a" if run.islower() else "9" if run.isdigit() else run

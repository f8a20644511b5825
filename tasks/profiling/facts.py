"""From the profile of a column to facts: its type and spelling, its values, its range."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from data_contracts.contract import Column, Repair
from data_contracts.repair import NULL_MARKERS, number_pattern
from tasks.profiling.column_profile import ColumnProfile, Reading

# Beside those that every contract knows. A text column may mean "unknown" by these, a number can mean nothing else.
_BLANKS = frozenset({"?", "??", "-", "--", "---", ".", "..", "*", "#n/a", "#na", "#null!", "#value!", "#div/0!", "<na>",
                     "\\n", "(null)", "[null]", "nil", "n.a.", "n.a", "(na)"})  # fmt: skip
_UNKNOWN = _BLANKS | {"unknown", "unk", "missing", "not available", "undefined", "void", "-nan", "inf", "keine angabe"}
# So many texts that are no number may stand for null, in so small a share of the rows.
_STRAY_TEXTS, _STRAY_SHARE = 3, 0.01
# Longer whole numbers are names, which float64 would round.
_EXACT = 2**53
_LONG = re.compile(r"^[+-]?[0-9]{19,}$")
_FEW = 200


@dataclass(frozen=True)
class ColumnFacts:
    """What is taken to be true of a column.

    Attributes:
        column: Its name, type and repair.
        arrow: Its Arrow type in the source.
        rows: All rows.
        nulls: Rows without a value.
        distinct: Distinct values; an estimate above eight thousand.
        values: Every value and how often it occurs, the most frequent first, where they are at most 200; else empty.
        minimum: The least number, or instant in microseconds since 1970 UTC; None for other types and without a value.
        maximum: The greatest.
        longest: Characters of the longest text.
        sample: Some of its texts.
        mean: Of the numbers; None for other types and without a value.
        deviation: The standard deviation of the numbers.
        unreadable: Rows that its type cannot read, which a run puts into quarantine.
        assumed: How it is read, where that is a guess.
        doubts: What a person should look at.
    """

    column: Column
    arrow: str
    rows: int
    nulls: int
    distinct: int
    values: Mapping[str | int | float, int]
    minimum: float | None
    maximum: float | None
    longest: int
    sample: tuple[str, ...]
    mean: float | None = None
    deviation: float = 0.0
    unreadable: int = 0
    assumed: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    @property
    def kind(self) -> str:
        """The logical type."""
        return self.column.logical_type

    @property
    def told(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def unique(self) -> bool:
        """No two rows with a value seem to share it; an estimate above eight thousand, where a pass must prove it."""
        return self.told > 0 and self.distinct >= (self.told if self.told <= 8_192 else 0.95 * self.told)


def facts_of(name: str, profile: ColumnProfile) -> ColumnFacts:
    """Decide how a column is read, and return what is then known of it."""
    if profile.arrow != "string":
        return _typed(name, profile)
    for reading in profile.readings:
        kind = reading.column.logical_type
        if kind in {"integer", "number"} and _is_code(profile):
            continue
        markers = _stray(reading, profile)
        if markers is not None:
            return _read_as(name, profile, reading, markers)
    return _text(name, profile)


def _typed(name: str, profile: ColumnProfile) -> ColumnFacts:
    reading = profile.readings[0]
    kind = reading.column.logical_type
    if kind == "number" and reading.whole and reading.moments.count:
        kind = "integer"
    column = Column(name=name, logical_type=kind)
    such = f", such as {next(iter(reading.failing))}," if reading.failing else ""
    doubts = (f"{reading.failed:,} values{such} go into quarantine",) if reading.failed else ()
    return _with_numbers(column, profile, reading, said=((), doubts))


def _is_code(profile: ColumnProfile) -> bool:
    """Tell whether whole numbers are names: with zeros before them, or with more digits than a number keeps."""
    whole = (reading for reading in profile.readings if reading.column.logical_type == "integer")
    texts = [*profile.sample, *(text for reading in whole for text in reading.failing)]
    return profile.leading_zeros > 0 or any(_beyond_64_bits(text) for text in texts)


def _beyond_64_bits(text: str) -> bool:
    return _LONG.match(text) is not None and not -(2**63) <= int(text) < 2**63


def _stray(reading: Reading, profile: ColumnProfile) -> tuple[str, ...] | None:
    """Return the texts that stand for null so that the reading reads all others; None if it does not."""
    if not reading.failed:
        return () if reading.moments.count else None
    told = profile.rows - profile.nulls
    texts = list(reading.failing)
    complete = sum(reading.failing.values()) == reading.failed
    known = all(text.lower() in _UNKNOWN for text in texts)
    few = len(texts) <= _STRAY_TEXTS and reading.failed <= _STRAY_SHARE * told
    if not complete or not (known or few) or reading.failed == told or _has_number(texts):
        return None
    return tuple(sorted(texts))


def _has_number(texts: list[str]) -> bool:
    return any(re.fullmatch(number_pattern(Repair()), text) for text in texts)


def _read_as(name: str, profile: ColumnProfile, reading: Reading, markers: tuple[str, ...]) -> ColumnFacts:
    kind, repair = reading.column.logical_type, reading.column.repair
    assumed = [f"written as {' or '.join(repair.formats)}"] if repair.formats else []
    if repair.thousands_separator is not None or repair.decimal_separator is not None:
        said = {"thousands": repair.thousands_separator, "fractions": repair.decimal_separator}
        assumed.append(" and ".join(f"{what} are parted by {sign!r}" for what, sign in said.items() if sign))
    doubts: tuple[str, ...] = ()
    if markers:
        repair = repair.model_copy(update={"null_markers": (*_default_markers(), *markers)})
        listed = ", ".join(repr(marker) for marker in markers)
        assumed.append(f"{listed} read as null ({reading.failed:,} rows)")
        if not all(marker.lower() in _UNKNOWN for marker in markers):
            doubts = (f"{reading.failed:,} rows hold {listed}, which is no {kind}; read as null",)
    column = Column(name=name, logical_type=kind, repair=repair)
    return _with_numbers(column, profile, reading, markers=bool(markers), said=(tuple(assumed), doubts))


def _with_numbers(
    column: Column,
    profile: ColumnProfile,
    reading: Reading,
    *,
    markers: bool = False,
    said: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
) -> ColumnFacts:
    """Return what is known of a column of numbers or instants.

    Args:
        column: It.
        profile: What was counted.
        reading: How it is read.
        markers: Whether the texts that cannot be read stand for null; else they are defects.
        said: What was assumed, and what is doubtful.
    """
    assumed, doubts = said
    moments, points = reading.moments, reading.points
    values: dict[str | int | float, int] = {}
    if not points.error and len(points.values) <= _FEW and column.logical_type in {"integer", "number", "boolean"}:
        pairs = zip(points.values.tolist(), points.counts.tolist(), strict=True)
        whole = column.logical_type != "number"
        values = {int(value) if whole else value: count for value, count in sorted(pairs, key=lambda each: -each[1])}
    if column.logical_type == "integer" and moments.count and moments.maximum >= _EXACT:
        doubts = (*doubts, "numbers beyond 2^53, which a model cannot tell apart")
    found = moments.count > 0
    exact = len(points.values) if not points.error else min(round(profile.distinct), moments.count)
    return ColumnFacts(
        column=column,
        arrow=profile.arrow,
        rows=profile.rows,
        nulls=profile.nulls + (reading.failed if markers else 0),
        distinct=exact,
        values=values,
        minimum=moments.minimum if found else None,
        maximum=moments.maximum if found else None,
        longest=profile.longest,
        sample=profile.sample,
        mean=moments.mean if found else None,
        deviation=math.sqrt(moments.m2 / moments.count) if found else 0.0,
        unreadable=0 if markers else reading.failed,
        assumed=assumed,
        doubts=doubts,
    )


def _text(name: str, profile: ColumnProfile) -> ColumnFacts:
    counted = dict(zip(profile.texts.values.to_pylist(), profile.texts.counts.tolist(), strict=True))
    markers = sorted(text for text in counted if text.lower() in _BLANKS)
    blanks = sum(counted[text] for text in markers)
    repair, assumed = Repair(), []
    if markers and len(markers) < len(counted):
        repair = Repair(null_markers=(*_default_markers(), *markers))
        assumed.append(f"{', '.join(map(repr, markers))} read as null ({blanks:,} rows)")
        counted = {text: count for text, count in counted.items() if text not in markers}
    else:
        blanks = 0
    exact = not profile.texts.missed
    few = exact and len(counted) <= _FEW
    told = profile.rows - profile.nulls - blanks
    distinct = len(counted) if exact else min(round(profile.distinct), told)
    return ColumnFacts(
        column=Column(name=name, logical_type="string", repair=repair),
        arrow=profile.arrow,
        rows=profile.rows,
        nulls=profile.nulls + blanks,
        distinct=distinct,
        values=dict(sorted(counted.items(), key=lambda each: -each[1])) if few else {},
        minimum=None,
        maximum=None,
        longest=profile.longest,
        sample=profile.sample,
        assumed=tuple(assumed),
        doubts=tuple(_mixed(profile)),
    )


def _mixed(profile: ColumnProfile) -> list[str]:
    """Say where most of a column is a number and the rest is not: somebody should look at it."""
    told = profile.rows - profile.nulls
    for reading in profile.readings:
        kind = reading.column.logical_type
        if kind == "number" and not _is_code(profile) and 0 < reading.failed < 0.2 * told:
            examples = ", ".join(repr(text) for text in list(reading.failing)[:3])
            return [f"mixed: {reading.failed:,} of {told:,} values are no number ({examples}); read as text"]
    if _is_code(profile) and not profile.leading_zeros:
        return ["whole numbers beyond 64 bits, read as text"]
    return []


def _default_markers() -> tuple[str, ...]:
    return tuple(sorted(NULL_MARKERS - {""}))

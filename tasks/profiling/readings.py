"""The types and spellings that the texts of a column may have: each a contract's column that could read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import pyarrow as pa

from data_contracts.contract import Column, LogicalType, Repair
from data_contracts.repair import ISO, repaired
from data_contracts.texts import TEXT_READERS

# The share of the sample that a spelling must read to be tried on all rows.
_TRIED, _COVERED = 0.5, 0.95
_BOOLEAN = re.compile(r"^(?:true|false|yes|no|t|f|y|n)$", re.IGNORECASE)
_DATE = re.compile(r"^[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}(?:[T ].*)?$")
_COMPACT_DATE = re.compile(r"^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$")
_DATE_WORDS = re.compile(r"date|datum|day|tag|fecha", re.IGNORECASE)
_GROUPED_BY_POINTS = re.compile(r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+$")
_SEPARATED = re.compile(r"[0-9][, '\u00a0\u202f][0-9]|^[+-]?,[0-9]|\.[0-9]+[.,]")
# Thousands and decimals, as the world writes them.
_SPELLINGS = (
    (",", None),
    (None, ","),
    (".", ","),
    *((blank, decimal) for blank in (" ", "\u00a0", "\u202f") for decimal in (None, ",")),
    ("'", None),
)
_DAYS = ("d.M.yyyy", "d/M/yyyy", "M/d/yyyy", "d-M-yyyy", "M-d-yyyy", "yyyy/M/d", "yyyy.M.d")
_TIMES = ("", " H:mm", " H:mm:ss", " H:mm:ss.SSS", "'T'HH:mm:ss")


@dataclass(frozen=True)
class Habits:
    """What the file's writer seems to be used to, for texts that can be read in two ways.

    Attributes:
        european: A comma stands before the fraction, and the day before the month.
    """

    european: bool = False


def possible_readings(name: str, sample: Sequence[str], habits: Habits) -> tuple[Column, ...]:
    """Return the ways to read a column's texts, the likeliest of equals first; a string is not among them.

    Args:
        name: The column's name.
        sample: Some of its distinct texts, trimmed and none of them null.
        habits: The file's.
    """
    if not sample:
        return (_column(name, "integer"),)
    texts = pa.array(list(sample), pa.string())
    found = [*_booleans(name, sample), *_numbers(name, sample, habits), *_instants(name, sample, habits)]
    return tuple(column for column in found if _share(column, texts) >= _TRIED)


def read_texts(column: Column, words: pa.Array) -> pa.Array:
    """Read texts, which `repaired` has put right, in the column's type; null where one cannot be read."""
    return TEXT_READERS[column.logical_type](words, column)


def _column(name: str, kind: LogicalType, repair: Repair | None = None) -> Column:
    return Column(name=name, logical_type=kind, repair=repair or Repair())


def _share(column: Column, texts: pa.Array) -> float:
    values = read_texts(column, repaired(texts, column))
    return 1.0 - float(values.null_count) / len(texts)


def _booleans(name: str, sample: Sequence[str]) -> Iterator[Column]:
    if sum(map(bool, map(_BOOLEAN.match, sample))) >= _TRIED * len(sample):
        yield _column(name, "boolean")


def _numbers(name: str, sample: Sequence[str], habits: Habits) -> Iterator[Column]:
    if not any(character.isdigit() for text in sample[:100] for character in text):
        return
    by_points = habits.european and all(map(_GROUPED_BY_POINTS.match, sample))
    if not by_points:
        yield from (_column(name, "integer"), _column(name, "number"))
    else:
        yield _column(name, "integer", Repair(thousands_separator=".", decimal_separator=","))
    if not any(map(_SEPARATED.search, sample)):
        return
    spellings = sorted(_SPELLINGS, key=lambda each: each[1] is None) if habits.european else _SPELLINGS
    for thousands, decimal in spellings:
        repair = Repair(thousands_separator=thousands, decimal_separator=decimal)
        if thousands is not None:
            yield _column(name, "integer", repair)
        yield _column(name, "number", repair)


def _instants(name: str, sample: Sequence[str], habits: Habits) -> Iterator[Column]:
    if _DATE_WORDS.search(name) and all(map(_COMPACT_DATE.match, sample)):
        yield _column(name, "date", Repair(formats=("yyyyMMdd",)))
    if sum(map(bool, map(_DATE.match, sample))) < _TRIED * len(sample):
        return
    yield from (_column(name, "date"), _column(name, "timestamp"))
    texts = pa.array(list(sample), pa.string())
    days = sorted(_DAYS, key=lambda each: each[0] == ("M" if habits.european else "d"))
    shares = {ISO: _share(_column(name, "timestamp"), texts)}
    for day, time in product(days, _TIMES):
        shares[f"{day}{time}"] = _share(_column(name, "timestamp", Repair(formats=(f"{day}{time}",))), texts)
    whole = [text_format for text_format, share in shares.items() if share >= _COVERED and text_format != ISO]
    for text_format in whole:
        yield _column(name, _kind_of((text_format,)), Repair(formats=(text_format,)))
    if not whole and shares[ISO] < _COVERED and (several := _covering(name, texts, shares)):
        yield _column(name, _kind_of(several), Repair(formats=several))


def _covering(name: str, texts: pa.Array, shares: dict[str, float]) -> tuple[str, ...]:
    """Return up to four formats that together read nearly all texts, each more than the ones before it; else none."""
    chosen: tuple[str, ...] = ()
    reached = 0.0
    for text_format in sorted(shares, key=lambda each: -shares[each]):
        share = _share(_column(name, "timestamp", Repair(formats=(*chosen, text_format))), texts)
        if share > reached + 0.01 and len(chosen) < 4:
            chosen, reached = (*chosen, text_format), share
    return chosen if reached >= _COVERED else ()


def _kind_of(formats: Sequence[str]) -> LogicalType:
    return "timestamp" if any("H" in each or each == ISO for each in formats) else "date"

"""The profile of one column: what is counted of each partition, and how that merges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data_contracts.contract import Column, Contract
from data_contracts.parsing import parse_table
from data_contracts.repair import repaired
from tasks.data.hashing import LANES, hash_rows
from tasks.leakage.occurrences import Occurrences
from tasks.preprocessing.columns import Categories, numeric_values, one_array
from tasks.preprocessing.sketch import Distribution
from tasks.preprocessing.statistics import CategorySummary, Moments
from tasks.profiling.readings import read_texts

# Of thousands of columns, each may keep a few kilobytes.
_CATEGORIES, _POINTS, _DISTINCT, _FAILING = 512, 512, 8_192, 8
# After so many distinct texts of a partition that a reading cannot read at all, it is given up.
_PROBES = 64


@dataclass(frozen=True)
class Reading:
    """How well one way of reading a text column does; for a column that has a type, that type.

    Attributes:
        column: What reads it.
        failed: Rows that it cannot read.
        failing: Some of their texts, and how often each occurs; complete while there are fewer than eight.
        moments: Of the numbers that were read; instants in microseconds since 1970 UTC.
        points: Their distribution, exact while `error` is 0.
        whole: Every number is one without a fraction.
    """

    column: Column
    failed: int
    failing: dict[str, int]
    moments: Moments
    points: Distribution
    whole: bool

    def merge(self, later: Reading) -> Reading:
        """Return the reading of both sets of rows."""
        failing = dict(self.failing)
        for text, count in later.failing.items():
            failing[text] = failing.get(text, 0) + count
        return Reading(
            self.column,
            self.failed + later.failed,
            dict(list(failing.items())[:_FAILING]),
            self.moments.merge(later.moments),
            self.points.merge(later.points, _POINTS),
            self.whole and later.whole,
        )


@dataclass(frozen=True)
class ColumnProfile:
    """What is known of a column.

    Attributes:
        arrow: Its Arrow type, in words.
        nulls: Rows without a value, null markers included.
        texts: How often each text occurs, as far as they are few; empty for numbers and instants.
        seen: A fair sample of the hashes of its values, which counts the distinct ones.
        longest: Characters of the longest text.
        readings: The ways to read it that were tried.
        leading_zeros: Rows with a text such as `007`, which a number would lose.
        sample: Some texts from the beginning.
    """

    arrow: str
    rows: int
    nulls: int
    texts: CategorySummary
    seen: Occurrences
    longest: int = 0
    readings: tuple[Reading, ...] = ()
    leading_zeros: int = 0
    sample: tuple[str, ...] = field(default=())

    @property
    def distinct(self) -> float:
        """Number of distinct values; an estimate above eight thousand."""
        return self.seen.distinct

    def merge(self, later: ColumnProfile) -> ColumnProfile:
        """Return the profile of both sets of rows."""
        return replace(
            self,
            rows=self.rows + later.rows,
            nulls=self.nulls + later.nulls,
            texts=self.texts.merge(later.texts, _CATEGORIES),
            seen=self.seen.merge(later.seen, _DISTINCT),
            longest=max(self.longest, later.longest),
            readings=tuple(mine.merge(its) for mine, its in zip(self.readings, later.readings, strict=True)),
            leading_zeros=self.leading_zeros + later.leading_zeros,
        )


def profile_texts(source: pa.Array, readings: Sequence[Column], sample: Sequence[str]) -> ColumnProfile:
    """Profile a column of texts; each distinct one is looked at once.

    Args:
        source: Strings or a dictionary of strings.
        readings: The ways to read it.
        sample: Kept as it is.
    """
    encoded = source if pa.types.is_dictionary(source.type) else source.dictionary_encode()
    words = repaired(encoded.dictionary.cast(pa.string()), Column(name="", logical_type="string"))
    places = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    counts = np.bincount(places, minlength=len(words) + 1)[: len(words)]
    told = pc.and_(words.is_valid(), pa.array(counts > 0))
    words, counts = words.filter(told), counts[told.to_numpy(zero_copy_only=False)]
    rows = len(source)
    zeros = pc.match_substring_regex(words, r"^[+-]?0[0-9]").to_numpy(zero_copy_only=False)
    return ColumnProfile(
        arrow="string",
        rows=rows,
        nulls=rows - int(counts.sum()),
        texts=_counted(words, counts, rows),
        seen=_seen(words),
        longest=int(pc.max(pc.utf8_length(words)).as_py() or 0),
        readings=tuple(_read(column, words, counts) for column in readings),
        leading_zeros=int(counts[zeros].sum()),
        sample=tuple(sample),
    )


def profile_values(source: pa.Array, column: Column) -> ColumnProfile:
    """Profile a column that has a type: booleans, numbers, dates, timestamps."""
    typed, failing = _typed(source, column)
    values = numeric_values(typed)
    failed = sum(failing.values())
    finite = values[np.isfinite(values)]
    whole = bool((np.floor(finite) == finite).all()) and bool((np.abs(finite) < 2**53).all())
    nulls = len(source) - len(finite) - failed
    points = Distribution.of(values).bounded(_POINTS)
    reading = Reading(column, failed, dict(list(failing.items())[:_FAILING]), Moments.of(values), points, whole)
    texts = _counted(pa.array([], pa.string()), np.zeros(0, np.int64), len(source))
    return ColumnProfile(str(source.type), len(source), nulls, texts, _seen(typed.filter(typed.is_valid())),
                         readings=(reading,))  # fmt: skip


def _typed(source: pa.Array, column: Column) -> tuple[pa.Array, dict[str, int]]:
    """Return values as numbers or instants, and what a run cannot read: infinities, and instants of another age."""
    if not pa.types.is_temporal(source.type):
        floating = pa.types.is_floating(source.type) or pa.types.is_decimal(source.type)
        typed = source.cast(pa.float64()) if floating else source
        infinite = int(np.isinf(numeric_values(typed)).sum())
        return typed, {"infinity": infinite} if infinite else {}
    contract = Contract(name="draft", version="1", path="", digest="", columns=(column,))
    parsed = parse_table(pa.table({column.name: source}), contract)
    bad = parsed.unreadable.get(column.name)
    failed = 0 if bad is None else int(pc.sum(bad).as_py())
    texts = parsed.unreadable_texts.get(column.name, ())
    return one_array(parsed.table[column.name]), {texts[0]: failed} if failed else {}


def _counted(words: pa.Array, counts: NDArray[np.int64], rows: int) -> CategorySummary:
    if not len(words):
        return CategorySummary(rows, rows, pa.array([], pa.string()), np.zeros(0, np.int64))
    positions = np.repeat(np.arange(len(words)), counts)
    return CategorySummary.of(Categories(words, positions), _CATEGORIES)


def _seen(values: pa.Array) -> Occurrences:
    hashes = hash_rows([values], len(values), LANES[0])
    return Occurrences.of(hashes, np.zeros(len(values), np.uint8), limit=_DISTINCT)


def _read(column: Column, words: pa.Array, counts: NDArray[np.int64]) -> Reading:
    if len(words) > 2 * _PROBES and not len(read_texts(column, words.slice(0, _PROBES)).drop_null()):
        none = numeric_values(pa.array([], pa.float64()))
        failing = dict(zip(words.slice(0, _FAILING).to_pylist(), counts.tolist(), strict=False))
        return Reading(column, int(counts.sum()), failing, Moments.of(none), Distribution.of(none), whole=False)
    read = read_texts(column, words)
    bad = read.is_null().to_numpy(zero_copy_only=False)
    failing = dict(zip(words.filter(pa.array(bad)).slice(0, _FAILING).to_pylist(), counts[bad].tolist(), strict=False))
    numbers = numeric_values(read)[~bad]
    points = Distribution.counted(numbers, counts[~bad])
    moments = Moments.counted(points.values, points.counts, int(counts.sum()), int(counts[bad].sum()))
    whole = bool((np.floor(numbers) == numbers).all())
    return Reading(column, int(counts[bad].sum()), failing, moments, points.bounded(_POINTS), whole)

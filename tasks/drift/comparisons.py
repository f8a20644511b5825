"""One series held against its reference: the tests, what they found, and how far chance alone would go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.drift.counting import SeriesCounts
from tasks.drift.expected import Counts, Series
from tasks.drift.noise import (
    CellNoise,
    chi_squared_terms,
    effective_rows,
    ks_tail,
    ks_threshold,
    new_tail,
    new_threshold,
    psi_terms,
    rate_tail,
    rate_threshold,
)

TestName = Literal["psi", "ks", "chi_squared", "nulls", "unseen", "out_of_range", "performance"]
# Fewer rows than this in a cell, and most of its noise is whether it is empty.
_LEAST_ROWS = 5
_NUMBER_CELLS = 10
# A category with fewer rows in the reference was found common by luck too often.
_LEAST_CATEGORY = 20


@dataclass(frozen=True)
class Comparison:
    """One test of one series.

    Attributes:
        p_value: A bound of the probability of this statistic, or a larger one, where nothing has drifted.
        threshold: The statistic that alarms at a level.
        said: What changed and by how much, for people.
        reference: `[K]`, the reference's cells that the test is about.
        served: `[S, K]`, the served rows' by slice of time.
    """

    series: str
    of: Literal["record", "prediction", "labels"]
    test: TestName
    statistic: float
    p_value: float
    threshold: Callable[[float], float]
    said: str
    reference: Counts
    served: Counts


def compare_series(series: Series, counts: SeriesCounts) -> Iterator[Comparison]:
    """Hold the served rows of one series against its reference.

    Args:
        series: What is expected.
        counts: What was served; a series without a row has nothing to be compared.
    """
    if counts.rows and len(series.counts) > 1:
        yield from _distribution(series, counts)
    if series.of == "record" and (counts.rows or counts.nulls.any()):
        yield _nulls(series, counts)
    if series.of == "record" and counts.rows and (series.closed or series.span is not None):
        yield _strange(series, counts)


def _distribution(series: Series, counts: SeriesCounts) -> Iterator[Comparison]:
    served, rows, total = counts.cells.sum(axis=0), counts.rows, int(series.counts.sum())
    groups = pooled(series.counts, rows, ordered=series.kind == "number")
    reference, by_slice = joined(series.counts, groups), joined(counts.cells, groups)
    if len(reference) > 1:
        noise, at_once = CellNoise(reference, rows), by_slice.sum(axis=0)
        said = _shares(series, served)
        found = float(psi_terms(at_once, reference, rows, total).sum())
        tail = noise.psi()
        yield Comparison(
            series.name, series.of, "psi", found, tail.of(found), tail.threshold, said, reference, by_slice
        )
        if series.kind == "category":
            found = float(chi_squared_terms(at_once, reference, rows, total).sum())
            tail = noise.chi_squared()
            yield Comparison(
                series.name,
                series.of,
                "chi_squared",
                found,
                tail.of(found),
                tail.threshold,
                said,
                reference,
                by_slice,
            )
    if series.kind == "number" and len(series.edges):
        apart = np.abs(np.cumsum(served) / rows - np.cumsum(series.counts) / total).max()
        distance, worth = max(0.0, float(apart) - series.error / total), effective_rows(rows, total)
        yield Comparison(
            series.name,
            series.of,
            "ks",
            distance,
            ks_tail(distance, worth),
            lambda level: ks_threshold(level, worth),
            _shares(series, served),
            series.counts,
            counts.cells,
        )


def _nulls(series: Series, counts: SeriesCounts) -> Comparison:
    nulls, rows = int(counts.nulls.sum()), int(counts.nulls.sum()) + counts.rows
    known, before = series.rows, series.nulls
    return Comparison(
        series.name,
        series.of,
        "nulls",
        nulls / rows,
        rate_tail(nulls, rows, before, known),
        lambda level: rate_threshold(level, rows, before, known),
        f"null in {_percent(nulls / rows)} instead of {_percent(before / known)}",
        np.array([known - before, before]),
        np.stack([counts.there, counts.nulls], axis=1),
    )


def _strange(series: Series, counts: SeriesCounts) -> Comparison:
    """Compare how many rows lie beyond everything that the reference held."""
    beyond, rows, known = int(counts.strange.sum()), counts.rows, series.rows - series.nulls
    ways = series.once + 1 if series.closed else 2
    what = "unseen in training" if series.closed else "out of the training data's range"
    return Comparison(
        series.name,
        series.of,
        "unseen" if series.closed else "out_of_range",
        beyond / rows,
        new_tail(beyond, rows, known, ways),
        lambda level: new_threshold(level, rows, known, ways),
        f"{_percent(beyond / rows)} {what}",
        np.array([known, 0]),
        np.stack([counts.there - counts.strange, counts.strange], axis=1),
    )


def pooled(reference: Counts, rows: int, *, ordered: bool) -> NDArray[np.int64]:
    """Return for each cell the group that it is counted with, int64 `[K]`, from 0.

    Of numbers neighbours are joined into groups of a tenth of the rows, or of five at least beside a value that has a
    tenth alone. Of categories each is a group where five served rows are to be expected of it; those that are too rare,
    and those that the reference lacks, are one group together: values are called rare by the reference's own counts, so
    that which of them occurs more is no news, and only how often they all do is.

    Args:
        reference: int64 `[K]`.
        rows: Served rows.
        ordered: Whether neighbouring cells are alike.
    """
    total = int(reference.sum())
    if ordered:
        return _neighbours(reference, total / _NUMBER_CELLS, _LEAST_ROWS)
    least = _LEAST_ROWS * max(1.0, total / rows)
    order = np.argsort(-reference, kind="stable")
    common = int((reference >= max(least, _LEAST_CATEGORY)).sum())
    if common and reference[order[common:]].sum() < least:
        common -= 1
    groups = np.zeros(len(reference), np.int64)
    groups[order] = np.minimum(np.arange(len(reference)), common)
    return groups


def _neighbours(counts: Counts, target: float, least: float) -> NDArray[np.int64]:
    """Join neighbouring cells up to a target; one that reaches it alone does not swallow those before it."""
    groups, group, held = np.zeros(len(counts), np.int64), 0, 0
    left = int(counts.sum())
    for place, count in enumerate(counts.tolist()):
        if held >= least and count >= target:
            group, held = group + 1, 0
        groups[place] = group
        held, left = held + count, left - count
        # What is left must suffice for a group of its own, else it joins this one.
        if held >= target and left >= least:
            group, held = group + 1, 0
    return groups


def joined(cells: Counts, groups: NDArray[np.int64]) -> Counts:
    """Return the counts of each group; the last axis holds cells."""
    belongs = groups[:, None] == np.arange(int(groups.max(initial=-1)) + 1)
    return np.asarray(cells @ belongs.astype(np.int64))


def _shares(series: Series, served: Counts) -> str:
    """Say where the distributions are furthest apart."""
    now, before = served / served.sum(), series.counts / series.counts.sum()
    if series.kind == "category":
        place = int(np.abs(now - before).argmax())
        value = repr(series.values[place]) if place < len(series.values) else "other values"
        return f"{value} in {_percent(now[place])} instead of {_percent(before[place])}"
    place = int(np.abs(np.cumsum(now) - np.cumsum(before))[:-1].argmax())
    shares = (now[: place + 1].sum(), before[: place + 1].sum())
    moved = "higher" if shares[0] < shares[1] else "lower"
    return f"{moved}: {_percent(shares[0])} instead of {_percent(shares[1])} are {series.edges[place]:.6g} or less"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def changed_at(comparison: Comparison) -> int:
    """Return the slice of time that a change most likely began with.

    For each slice the log likelihood of the served distribution over the reference's is taken; the change began where
    their sum up to the end is largest, which is the estimate of Page's cumulative sum ("Continuous inspection schemes",
    1954). 0 where it began before the first slice.
    """
    served, reference = comparison.served, comparison.reference
    if not len(reference):
        return 0
    now = (served.sum(axis=0) + 0.5) / (served.sum() + 0.5 * len(reference))
    before = (reference + 0.5) / (reference.sum() + 0.5 * len(reference))
    gains: NDArray[np.float64] = served @ np.log(now / before)
    return int(np.cumsum(gains[::-1])[::-1].argmax())


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number: at most a level, and the chance of any false alarm is at most that.

    Holm ("A simple sequentially rejective multiple test procedure", 1979) bounds the chance of one false alarm among
    all tests, whatever their dependence: features are correlated, and the promise is about a check as a whole.
    Benjamini and Hochberg bound the share of false alarms among the alarms, which is another promise.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = largest
    return corrected

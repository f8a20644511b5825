"""Examples of a finding: a second look at the rows, which only a finding costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.row_rules import EXAMPLES, MASK, as_texts
from tasks.data.partitions import read_manifest, read_partition
from tasks.data.split import NO_SPLIT, read_codes
from tasks.leakage.findings import Finding
from tasks.leakage.instants import late_rows
from tasks.leakage.judge import shared, split_pair, twins
from tasks.leakage.occurrences import Words, known
from tasks.leakage.plan import LeakagePlan
from tasks.leakage.survey import TRAIN, Survey
from tasks.leakage.words import row_words, value_words
from tasks.references import DatasetRef, SplitRef

_COLUMNS_SHOWN = 4
_LONGEST = 40

Codes = NDArray[np.uint8]
Picker = Callable[[pa.Table, Codes], NDArray[np.bool_]]


def with_examples(
    finding: Finding, clean: DatasetRef, split: SplitRef, plan: LeakagePlan, pick: Picker
) -> Finding:  # fmt: skip
    """Return a finding with the first distinct examples of it, in the dataset's order.

    Args:
        finding: The finding.
        clean: The dataset.
        split: Its split.
        plan: What was looked for; it names the columns whose values are masked.
        pick: Says which rows of a table with the plan's columns the finding is about.
    """
    texts: dict[str, None] = {}
    for index, partition in enumerate(read_manifest(clean).partitions):
        table, codes = read_partition(clean.folder, partition, plan.columns), read_codes(split, index)
        rows = np.flatnonzero(pick(table, codes) & (codes != NO_SPLIT))
        # Many rows may read alike: a few more than are shown are enough to find different ones.
        for text in _texts(table.take(pa.array(rows[: EXAMPLES * 10])), finding, plan):
            texts.setdefault(text)
        if len(texts) >= EXAMPLES:
            break
    return finding.model_copy(update={"examples": tuple(texts)[:EXAMPLES]})


def picker(finding: Finding, survey: Survey, plan: LeakagePlan, rows: Mapping[str, int], test: int | None) -> Picker:
    """Return what says which rows a finding is about.

    Args:
        finding: The finding.
        survey: What is known of all rows.
        plan: What was looked for.
        rows: Rows of each split, by name.
        test: For a split by time, the test split's first instant, microseconds since 1970 UTC.
    """
    if finding.kind == "duplicates":
        wanted, _ = twins(survey.rows, split_pair(finding.name, rows))
        return lambda table, _: known(wanted, _row_words(table, plan))
    if finding.kind == "group-overlap":
        name = finding.columns[0]
        overlapping, _ = shared(survey.groups[name])
        return lambda table, _: known(overlapping, value_words(table[name])) & table[name].is_valid().to_numpy()
    if finding.kind in {"target-in-disguise", "target-in-nulls"}:
        return lambda _, codes: codes == TRAIN
    return lambda table, codes: late_rows(table, codes, plan, test)[finding.name]


def _row_words(table: pa.Table, plan: LeakagePlan) -> Words:
    return row_words([value_words(table[name]) for name in plan.features])


def _texts(table: pa.Table, finding: Finding, plan: LeakagePlan) -> list[str]:
    shown = finding.columns[:_COLUMNS_SHOWN]
    columns = [_masked(table[name], secret=name in plan.secret) for name in shown]
    more = ", ..." if len(finding.columns) > len(shown) else ""
    return [
        ", ".join(f"{name}={value}" for name, value in zip(shown, values, strict=True)) + more
        for values in zip(*columns, strict=True)
    ]


def _masked(column: pa.ChunkedArray, *, secret: bool) -> list[str]:
    if secret:
        return [MASK] * len(column)
    texts = ("null" if text is None else str(text) for text in as_texts(column))
    return [text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…" for text in texts]

"""What the check takes down of every partition, and how it merges: in any order, to the same findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.partitions import Partition, read_partition
from tasks.data.split import NO_SPLIT, SPLITS, read_codes
from tasks.leakage.disguise import FeatureSample, RowSample
from tasks.leakage.instants import late_rows
from tasks.leakage.occurrences import ALL, Occurrences
from tasks.leakage.plan import LeakagePlan
from tasks.leakage.words import row_words, sampled, value_words
from tasks.preprocessing.columns import numeric_values
from tasks.references import DatasetRef, SplitRef

TRAIN, VALIDATION, TEST = range(len(SPLITS))


@dataclass(frozen=True)
class Place:
    """A partition, its place among the partitions, and the place of its first row among the rows."""

    index: int
    partition: Partition
    first_row: int


@dataclass(frozen=True)
class Scope:
    """How much is taken down.

    Attributes:
        share: Share of the training and validation rows that the features are judged by.
        below: Rows and possible groups are counted whose hash is below it (`tasks.leakage.occurrences.bound_for`).
        test_begins: For a split by time, the test split's first instant, microseconds since 1970 UTC.
    """

    share: float
    below: int
    test_begins: int | None


@dataclass(frozen=True)
class Survey:
    """What is known of some rows.

    Attributes:
        samples: Sampled rows, one entry for each partition.
        rows: Rows by the values of all features.
        whole: Rows by the values of all features and of the target's columns.
        groups: Values of each group column and of each column that may be one.
        late: Rows that hold an instant which they should not, by the finding's name.
    """

    samples: tuple[RowSample, ...]
    rows: Occurrences
    whole: Occurrences
    groups: Mapping[str, Occurrences]
    late: Mapping[str, int]

    def merge(self, other: Survey) -> Survey:
        """Return what is known of both sets of rows together."""
        return Survey(
            samples=self.samples + other.samples,
            rows=self.rows.merge(other.rows),
            whole=self.whole.merge(other.whole),
            groups={name: found.merge(other.groups[name]) for name, found in self.groups.items()},
            late={name: count + other.late[name] for name, count in self.late.items()},
        )


def survey_partition(place: Place, *, clean: DatasetRef, split: SplitRef, plan: LeakagePlan, scope: Scope) -> Survey:
    """Read one partition and take down what the plan asks for.

    Args:
        place: Which.
        clean: The dataset.
        split: Its split.
        plan: What is looked for.
        scope: How much is taken down.
    """
    table = read_partition(clean.folder, place.partition, plan.columns, dictionaries=True)
    codes = read_codes(split, place.index)
    drawn = sampled(place.first_row, table.num_rows, scope.share)
    if (codes == NO_SPLIT).any():
        inside = codes != NO_SPLIT
        table, codes, drawn = table.filter(pa.array(inside)), codes[inside], drawn[inside]
    return survey(table, codes, drawn, plan, scope)


def survey(
    table: pa.Table, codes: NDArray[np.uint8], drawn: NDArray[np.bool_], plan: LeakagePlan, scope: Scope
) -> Survey:
    """Take down what is asked for of some rows.

    Args:
        table: The plan's columns.
        codes: uint8 [rows], each row's place in `SPLITS`.
        drawn: bool [rows], the rows that may be sampled.
        plan: What is looked for.
        scope: How much is taken down.
    """
    words = {name: value_words(table[name]) for name in (*plan.features, *plan.targets)}
    rows = row_words([words[name] for name in plan.features])
    groups = {}
    for name in (*plan.groups, *plan.hints):
        hashes = words[name] if name in words else value_words(table[name])
        below = ALL if name in plan.groups else scope.below
        there = table[name].is_valid().to_numpy() if table[name].null_count else slice(None)
        groups[name] = Occurrences.of(hashes[there], codes[there], below)
    return Survey(
        samples=(_sample(table, codes, drawn, plan),),
        rows=Occurrences.of(rows, codes, scope.below),
        whole=Occurrences.of(row_words([rows, *(words[name] for name in plan.targets)]), codes, scope.below),
        groups=groups,
        late={name: int(mask.sum()) for name, mask in late_rows(table, codes, plan, scope.test_begins).items()},
    )


def _sample(
    table: pa.Table, codes: NDArray[np.uint8], drawn: NDArray[np.bool_], plan: LeakagePlan
) -> RowSample:  # fmt: skip
    taken = drawn & (codes != TEST)
    rows = table if taken.all() else table.filter(pa.array(taken))
    return RowSample(
        train=codes[taken] == TRAIN,
        targets={name: numeric_values(rows[name]) if plan.number else value_words(rows[name]) for name in plan.targets},
        features={name: FeatureSample.of(rows[name]) for name in plan.features},
    )

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.contract import KeyRule, TableRule
from tasks.data.duplicates import (
    DUPLICATE,
    HashWriter,
    bucket_count,
    buckets_of,
    keys_of,
    read_found,
    search_bucket,
)
from tasks.data.verdicts import FIRST
from tests.tasks.data.tables import contract_of

CONTRACT = contract_of(
    {"id": "integer", "word": "string"},
    key=("id",),
    table_rules=(
        TableRule(id="words", metric="duplicateValues", columns=("word",), operator="mustBe", bound=0),
        TableRule(id="ids", metric="duplicateValues", columns=("id",), operator="mustBe", bound=0),
    ),
)
rows_ = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 6)), st.one_of(st.none(), st.sampled_from("abc")), st.booleans()),
    min_size=1,
    max_size=40,
)


def _search(folder: Path, rows, cuts, buckets):
    """Duplicates, conflicts and counts found over the rows, cut into partitions."""
    keys = keys_of(CONTRACT)
    writer = HashWriter(folder, keys, buckets)
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(rows)}), len(rows)]
    for index, (start, stop) in enumerate(pairwise(bounds)):
        part = rows[start:stop]
        table = pa.table(
            {"id": pa.array([r[0] for r in part], pa.int64()), "word": pa.array([r[1] for r in part], pa.string())}
        )
        writer.write(index, table, np.array([r[2] for r in part]), [np.arange(len(part))] * len(keys))
    reports = [search_bucket(bucket, folder=folder, partitions=len(bounds) - 1) for bucket in buckets_of(keys, buckets)]
    found = {
        number: [
            bounds[index] + position
            for index in range(len(bounds) - 1)
            for position in sorted(_beyond_first(keys[number], *read_found(index, number, buckets, folder)))
        ]
        for number in range(len(keys))
    }
    counts: dict[str, int] = {}
    for report in reports:
        for rule in report.key.ids:
            counts[rule] = counts.get(rule, 0) + report.beyond_first
    return found, counts


def _beyond_first(key, positions, copies) -> list[int]:
    return (positions[copies != FIRST] if key.conflict == DUPLICATE else positions).tolist()


@given(rows=rows_, cuts=st.lists(st.integers(1, 39), max_size=3), buckets=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_duplicates_and_conflicts_are_those_of_the_whole(tmp_path_factory: pytest.TempPathFactory, rows, cuts, buckets):
    found, counts = _search(tmp_path_factory.mktemp("hashes"), rows, cuts, buckets)
    whole = [(index, row[:2]) for index, row in enumerate(rows) if row[2]]
    seen: set = set()
    duplicates = [index for index, row in whole if row in seen or seen.add(row)]
    conflicts = [
        index
        for index, row in whole
        if row[0] is not None and len({other for _, other in whole if other[0] == row[0]}) > 1
    ]
    assert found[0] == duplicates
    assert found[1] == conflicts
    for rule, column in (("key", 0), ("ids", 0), ("words", 1)):
        values = [row[column] for row in rows if row[column] is not None]
        assert counts[rule] == len(values) - len(set(values))


def test_each_set_of_columns_is_compared_once():
    keys = keys_of(CONTRACT)
    assert [(key.columns, key.ids, key.conflict) for key in keys] == [
        (("id", "word"), (), DUPLICATE),
        (("id",), ("key", "ids"), len(CONTRACT.row_rules)),
        (("word",), ("words",), None),
    ]
    both = CONTRACT.model_copy(update={"key_rules": (*CONTRACT.key_rules, KeyRule(id="again", columns=("id",)))})
    assert keys_of(both)[1].ids == ("key", "again", "ids")


def test_buckets_grow_with_the_rows():
    assert [bucket_count(rows) for rows in (0, 1, 2_000_000, 2_000_001, 10**9)] == [1, 1, 1, 2, 500]

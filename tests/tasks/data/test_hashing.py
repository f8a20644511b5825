import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.hashing import LANES, hash_rows, seed_of

cells = st.tuples(
    st.one_of(st.none(), st.text(max_size=20)),
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    st.one_of(st.none(), st.floats(allow_nan=False)),
    st.one_of(st.none(), st.booleans()),
)
SCHEMA = pa.schema([("s", pa.string()), ("i", pa.int64()), ("f", pa.float64()), ("b", pa.bool_())])


def _table(rows) -> pa.Table:
    return pa.table([pa.array([row[i] for row in rows], field.type) for i, field in enumerate(SCHEMA)], schema=SCHEMA)


def _hash(table: pa.Table, lane: int = 0) -> list[int]:
    return hash_rows(table.columns, table.num_rows, LANES[lane]).tolist()


@given(rows=st.lists(cells, min_size=1, max_size=40), cut=st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_equal_rows_and_only_they_hash_alike_whatever_the_partitioning(rows, cut):
    table = _table(rows)
    hashes = list(zip(_hash(table), _hash(table, 1), strict=True))
    contents = [(s, i, None if f is None else f + 0.0, b) for s, i, f, b in rows]
    assert len(set(hashes)) == len(set(contents))
    for content, hashed in zip(contents, hashes, strict=True):
        assert hashes[contents.index(content)] == hashed
    assert _hash(table.slice(0, cut)) + _hash(table.slice(cut)) == _hash(table)
    assert _hash(pa.concat_tables([table.slice(cut), table.slice(0, cut)])) == _hash(table.slice(cut)) + _hash(
        table.slice(0, cut)
    )


def test_null_zero_and_nothing_differ():
    strings = hash_rows([pa.array([None, "", "\0", "0"])], 4, LANES[0])
    numbers = hash_rows([pa.array([None, 0.0, -0.0, 1.0])], 4, LANES[0])
    assert len(set(strings.tolist())) == 4
    assert len(set(numbers.tolist())) == 3
    assert numbers[1] == numbers[2]


def test_where_one_column_ends_matters():
    pairs = [
        hash_rows([pa.array([a]), pa.array([b])], 1, LANES[0])[0] for a, b in (("ab", "c"), ("a", "bc"), ("abc", ""))
    ]
    assert len(set(pairs)) == 3


def test_strings_of_any_length_and_offset():
    texts = ["x" * length for length in range(40)] + ["y" * 10_000]
    array = pa.array(texts)
    whole = hash_rows([array], len(texts), LANES[0])
    assert len(set(whole.tolist())) == len(texts)
    assert hash_rows([array.slice(7, 20)], 20, LANES[0]).tolist() == whole[7:27].tolist()
    assert hash_rows([pa.array([], pa.string())], 0, LANES[0]).tolist() == []
    assert hash_rows([pa.array([None, None], pa.string())], 2, LANES[0]).tolist()[0] > 0


def test_dates_and_times_hash_by_their_instant():
    dates = pa.array([dt.date(2013, 1, 1), None, dt.date(2013, 1, 2)])
    times = pa.array([dt.datetime(2013, 1, 1, tzinfo=dt.UTC), None], pa.timestamp("us", tz="UTC"))
    assert len(set(hash_rows([dates], 3, LANES[0]).tolist())) == 3
    assert len(set(hash_rows([times], 2, LANES[0]).tolist())) == 2


def test_no_two_of_many_rows_share_a_hash():
    numbers = pa.array(np.arange(300_000))
    low, high = (hash_rows([numbers], len(numbers), lane) for lane in LANES)
    assert len(np.unique(low)) == len(np.unique(high)) == 300_000
    assert (low != high).all()


def test_bits_are_spread_evenly():
    hashes = hash_rows([pa.array(np.arange(100_000)).cast(pa.string())], 100_000, seed_of(""))
    buckets = np.bincount((hashes % np.uint64(100)).astype(np.int64), minlength=100)
    assert buckets.min() > 850
    assert buckets.max() < 1150


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", 3220344897584144929), ("a", 9110145845580220759), ("abcdefgh", 5507250744556807260)],
)
def test_hashes_never_change(value, expected):
    """Stored splits depend on these numbers; a release that changed them would move rows between splits."""
    assert int(hash_rows([pa.array([value])], 1, LANES[0])[0]) == expected

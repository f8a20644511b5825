from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tasks.cleaning.config import OrderedColumn
from tasks.cleaning.fill import ends_of, fill, neighbours

ROWS = [None, 1.0, None, None, 4.0, None, None, 2.0, None]
GROUPS = np.array([1, 1, 1, 1, 1, 1, 2, 2, 2], dtype=np.uint64)
ORDER = np.array([0, 10, 11, 19, 20, 30, 0, 5, 6])


@pytest.mark.parametrize(
    ("method", "limit", "expected"),
    [
        ("ffill", None, [None, 1, 1, 1, 4, 4, None, 2, 2]),
        ("ffill", 1, [None, 1, 1, None, 4, 4, None, 2, 2]),
        ("bfill", None, [1, 1, 4, 4, 4, None, 2, 2, None]),
        ("bfill", 1, [1, 1, None, 4, 4, None, 2, 2, None]),
        ("linear", None, [None, 1, 2, 3, 4, None, None, 2, None]),
        ("linear", 1, [None, 1, 2, None, 4, None, None, 2, None]),
        ("time", None, [None, 1, 1.3, 3.7, 4, None, None, 2, None]),
    ],
)
def test_nothing_is_filled_from_another_group_or_beyond_the_limit(method, limit, expected):
    config = OrderedColumn(fill=method, limit=limit)
    rows = pa.array(ROWS, pa.float64())
    whole = fill(rows, GROUPS, ORDER, config).to_pylist()
    assert [value is None for value in whole] == [value is None for value in expected]
    assert [v for v in whole if v is not None] == pytest.approx([v for v in expected if v is not None])
    for cut in range(1, len(ROWS)):
        parts = [slice(0, cut), slice(cut, None)]
        around = neighbours([ends_of(rows[part], GROUPS[part], ORDER[part]) for part in parts])
        cleaned = [
            fill(rows[part], GROUPS[part], ORDER[part], config, each) for part, each in zip(parts, around, strict=True)
        ]
        assert pa.concat_arrays(cleaned).to_pylist() == whole


def test_what_is_between_never_leaves_the_two_values():
    third = 0.1 + 0.2
    values = pa.array([third, None, None, third, None, 1.7976931348623157e308])
    filled = fill(values, np.zeros(6, np.uint64), np.arange(6), OrderedColumn(fill="linear")).to_pylist()
    assert filled[:4] == [third] * 4
    assert third < filled[4] < 1.7976931348623157e308


def test_at_one_moment_the_earlier_value_stays():
    values = pa.array([1.0, None, 2.0])
    assert fill(values, np.zeros(3, np.uint64), np.array([5, 5, 5]), OrderedColumn(fill="time"))[1].as_py() == 1.0


def test_every_type_can_be_carried_on():
    for values in (pa.array(["a", None]), pa.array([True, None]), pa.array([3, None], pa.date32())):
        filled = fill(values, np.zeros(2, np.uint64), np.arange(2), OrderedColumn(fill="ffill"))
        assert filled.type == values.type
        assert filled[1] == values[0]

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.slices.groups import NO_VALUE, groups_of


@pytest.mark.parametrize(
    ("values", "names", "place"),
    [
        (pa.array(["b", None, "a", "b", ""]), ["a", "b", NO_VALUE], [1, 2, 0, 1, 2]),
        (pa.array([True, False, None]), ["false", "true", NO_VALUE], [1, 0, 2]),
        (pa.array([3, 1, 3]), ["1", "3"], [1, 0, 1]),
        (pa.array([2.5, math.nan, None]), ["2.5", NO_VALUE], [0, 1, 1]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"], [0, 1]),
        (pa.array([None, None], pa.float64()), [NO_VALUE], [0, 0]),
        (pa.array([], pa.string()), [], []),
        (pa.array([date(2013, 1, 1), date(2013, 1, 3)]), ["2013-01-01 to 2013-01-03"], [0, 0]),
        (
            pa.array([0, 90_000_000], pa.timestamp("us", tz="UTC")),
            ["1970-01-01T00:00:00 to 1970-01-01T00:01:30"],
            [0, 0],
        ),
    ],
)
def test_values_make_groups(values: pa.Array, names: list[str], place: list[int]) -> None:
    groups = groups_of("a", values, bins=2)
    assert [found.startswith(name) for found, name in zip(groups.names, names, strict=True)] == [True] * len(names)
    assert groups.place.tolist() == place


def test_many_numbers_are_cut_at_their_quantiles() -> None:
    groups = groups_of("a", pa.array(np.arange(100.0)), bins=4)
    assert groups.rows.tolist() == [24, 25, 25, 26]
    assert groups.names[0] == "0 to below 24"
    assert groups.names[-1] == "74 to 99"


def test_equal_quantiles_make_fewer_ranges() -> None:
    groups = groups_of("a", pa.array([0.0] * 90 + [float(value) for value in range(1, 31)]), bins=4)
    assert groups.rows.sum() == 120
    assert len(groups.names) < 4


@given(st.lists(st.floats(allow_infinity=False) | st.none()), st.integers(2, 7))
def test_every_row_is_in_one_group(values: list[float | None], bins: int) -> None:
    groups = groups_of("a", pa.array(values, pa.float64()), bins)
    assert len(groups.place) == len(values)
    assert groups.rows.sum() == len(values)
    members = groups.members() if len(groups.names) else []
    assert sorted(row for rows in members for row in rows.tolist()) == list(range(len(values)))
    lost = [value is None or math.isnan(value) for value in values]
    assert [groups.names[at] == NO_VALUE for at in groups.place] == lost


def test_a_mask_hides_the_names_and_nothing_else() -> None:
    groups = groups_of("a", pa.array(["secret", "other"]), bins=2)
    assert groups.masked().names == ("group 1", "group 2")
    assert groups.masked().place.tolist() == groups.place.tolist()

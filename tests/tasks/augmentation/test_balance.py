from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.augmentation.balance import BalanceConfig, planned_rows
from tasks.errors import TrainingError
from tasks.preprocessing.targets import ClassTarget

LATE = ClassTarget(column="late", source="boolean", classes=(False, True))
SIZES = ClassTarget(column="size", source="integer", classes=(1, 2, 30))


def _planned(counts: list[int], target: ClassTarget = SIZES, **asked: object) -> list[int]:
    rows: list[int] = planned_rows(np.asarray(counts), BalanceConfig.model_validate(asked), target).tolist()
    return rows


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"method": "none"}, [60, 30, 10]),
        ({"method": "over"}, [60, 60, 60]),
        ({"method": "smote"}, [60, 60, 60]),
        ({"method": "under"}, [10, 10, 10]),
        ({"method": "over", "ratio": {30: 0.4}}, [60, 30, 60]),
        ({"method": "under", "ratio": {1: 0.5}}, [40, 30, 10]),
        ({"method": "over", "ratio": {1: 0.5, 2: 0.25, 30: 0.25}}, [60, 30, 30]),
        ({"method": "under", "ratio": {1: 0.5, 2: 0.3, 30: 0.2}}, [25, 15, 10]),
    ],
)
def test_rows_of_each_class(asked: dict[str, object], expected: list[int]) -> None:
    assert _planned([60, 30, 10], **asked) == expected


def test_a_class_is_named_as_yaml_reads_it() -> None:
    for name in (True, "true"):
        assert _planned([90, 10], LATE, method="over", ratio={name: 0.5}) == [90, 90]


def test_a_class_without_rows_is_named() -> None:
    with pytest.raises(TrainingError, match=r"1 classes of `size` have no row in the training split \(30\)"):
        _planned([5, 5, 0], method="over")


@settings(max_examples=80, deadline=None)
@given(
    counts=st.lists(st.integers(1, 10_000), min_size=3, max_size=3), weights=st.lists(st.floats(0.05, 1), min_size=3)
)
def test_shares_of_all_classes_are_reached_by_either_method(counts: list[int], weights: list[float]) -> None:
    shares = np.asarray(weights[:3]) / sum(weights[:3])
    ratio = dict(zip(("1", "2", "30"), shares.tolist(), strict=True))
    over = np.asarray(_planned(counts, method="over", ratio=ratio))
    assert (over >= counts).all()
    assert over / over.sum() == pytest.approx(shares, abs=3 / over.sum())
    if min(counts) > 100:
        under = np.asarray(_planned(counts, method="under", ratio=ratio))
        assert (under <= counts).all()
        assert under / under.sum() == pytest.approx(shares, abs=3 / under.sum())

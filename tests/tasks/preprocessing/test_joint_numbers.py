from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.preprocessing.columns import categories
from tasks.preprocessing.constants import FIRST_CODE, NULL, UNSEEN, CategoricalFeature
from tasks.preprocessing.joint_numbers import NumberJoint
from tasks.preprocessing.targets import LabelsTarget, NumberTarget

FOLDS = 3
CATEGORY = CategoricalFeature(name="w", column="w", source="string", vocabulary=("a", "b", "e"))
NUMBER = NumberTarget(column="x", source="number", center=5.0, spread=2.0)
LABELS = LabelsTarget(labels=("p", "q"))
# Whole numbers add up to the same in any order.
rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]), st.integers(-50, 50), st.integers(0, 1), st.integers(0, FOLDS - 1)
    ),
    max_size=40,
)
Rows = list[tuple[Any, ...]]


def _summary(part: Rows) -> NumberJoint:
    words, first, second, folds = zip(*part, strict=True) if part else ((), (), (), ())
    numbers = np.array([first, second], dtype=np.float64).T.reshape(-1, 2)
    return NumberJoint.of(categories(pa.array(words, pa.string())), numbers, np.array(folds, dtype=np.uint64), FOLDS)


@given(first=rows, second=rows, third=rows)
@settings(max_examples=60, deadline=None)
def test_merging_is_adding_up_all_rows_in_any_grouping(first: Rows, second: Rows, third: Rows):
    counts = np.zeros((CATEGORY.cardinality, FOLDS), dtype=np.int64)
    sums = np.zeros((*counts.shape, 2))
    for word, x, label, fold in [*first, *second, *third]:
        code = {None: NULL, "a": FIRST_CODE, "b": FIRST_CODE + 1}.get(word, UNSEEN)
        counts[code, fold] += 1
        sums[code, fold] += (x, label)
    a, b, c = map(_summary, (first, second, third))
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b), _summary([*first, *second, *third])):
        np.testing.assert_array_equal(merged.by_code(CATEGORY)[0], counts)
        np.testing.assert_array_equal(merged.by_code(CATEGORY)[1], sums)


def test_of_too_many_categories_the_rare_ones_count_as_unseen():
    counts, sums = _summary([("a", 1, 0, 0), ("a", 2, 1, 1), ("b", 9, 1, 2)]).bounded(1).by_code(CATEGORY)
    assert (counts[FIRST_CODE].sum(), counts[UNSEEN].sum()) == (2, 1)
    assert sums[UNSEEN].sum(axis=0).tolist() == [9.0, 1.0]


def test_a_rows_own_number_never_enters_its_encoding():
    part = [("a", x, x % 2, x % FOLDS) for x in range(30)]
    changed = [(word, 1_000 if fold == 1 else x, label, fold) for word, x, label, fold in part]
    before, after = (_summary(each).means(CATEGORY, LABELS, smoothing=2.0) for each in (part, changed))
    np.testing.assert_array_equal(before.folds[1], after.folds[1])
    assert not np.array_equal(before.folds[0], after.folds[0])


def test_numbers_are_standardized_and_drawn_towards_the_mean_of_all():
    part = _summary([("a", 9, 1, 0), ("a", 9, 1, 1), ("b", 1, 0, 2), ("b", 5, 0, 0)])
    number = NumberJoint(part.values, part.counts, part.sums[:, :, :1], part.other_counts, part.other_sums[:, :1])
    found = number.means(CATEGORY, NUMBER, smoothing=2.0)
    assert found.suffixes == ("",)
    # The mean of all is 6; of `a` (18 + 2 * 6) / 4 = 7.5, of `b` (6 + 12) / 4 = 4.5.
    assert found.values[0, [UNSEEN, FIRST_CODE, FIRST_CODE + 1]].tolist() == [0.5, 1.25, -0.25]
    labels = part.means(CATEGORY, LABELS, smoothing=2.0)
    assert labels.suffixes == ("_p", "_q")
    assert labels.values[1, [FIRST_CODE, FIRST_CODE + 1]].tolist() == [0.75, 0.25]

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.preprocessing.columns import categories
from tasks.preprocessing.constants import FIRST_CODE, NULL, UNSEEN, CategoricalFeature
from tasks.preprocessing.joint import JointSummary, folds_of, out_of_fold_means, smoothed_means
from tasks.preprocessing.targets import ClassTarget

TARGET = ClassTarget(column="y", source="integer", classes=(-1, 2, 10))
FOLDS = 3
rows = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", None]), st.sampled_from([-1, 2, 10]), st.integers(0, FOLDS - 1)),
    max_size=40,
)
CATEGORY = CategoricalFeature(name="w", column="w", source="string", vocabulary=("a", "b", "e"))


def _summary(part):
    words, classes, folds = zip(*part, strict=True) if part else ((), (), ())
    return JointSummary.of(
        categories(pa.array(words, pa.string())),
        categories(pa.array(classes, pa.int64())),
        np.array(folds, dtype=np.uint64),
        FOLDS,
    )


def _code(word):
    return {None: NULL, "a": FIRST_CODE, "b": FIRST_CODE + 1}.get(word, UNSEEN)


@given(first=rows, second=rows, third=rows)
@settings(max_examples=60, deadline=None)
def test_merging_is_counting_all_rows_in_any_grouping(first, second, third):
    expected = np.zeros((CATEGORY.cardinality, FOLDS, 3), dtype=np.int64)
    everything = [*first, *second, *third]
    for word, label, fold in everything:
        expected[_code(word), fold, TARGET.classes.index(label)] += 1
    if len({label for _, label, _ in everything}) < 3:
        return
    a, b, c = map(_summary, (first, second, third))
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b), _summary(everything)):
        np.testing.assert_array_equal(merged.by_code(CATEGORY, TARGET), expected)


def test_of_too_many_categories_the_rare_ones_count_as_unseen():
    bounded = _summary([("a", -1, 0), ("a", 2, 1), ("b", 10, 2)]).bounded(1)
    counts = bounded.by_code(CATEGORY, TARGET)
    assert counts[FIRST_CODE].sum() == 2
    assert counts[UNSEEN].sum() == 1


def test_a_rows_own_class_never_enters_its_encoding():
    random = np.random.default_rng(0)
    counts = random.integers(0, 5, (6, FOLDS, 2))
    for fold, table in enumerate(out_of_fold_means(counts, smoothing=4.0)):
        changed = counts.copy()
        changed[:, fold] += random.integers(0, 50, (6, 2))
        np.testing.assert_array_equal(out_of_fold_means(changed, smoothing=4.0)[fold], table)


def test_means_are_drawn_towards_that_of_all_rows():
    counts = np.array([[0, 0], [0, 0], [0, 0], [0, 90], [10, 0]])
    means = smoothed_means(counts, smoothing=10.0)
    assert means.shape == (1, 5)
    np.testing.assert_allclose(means[0], [0.9, 0.9, 0.9, 0.99, 0.45])


def test_folds_are_even_and_depend_on_the_place_alone():
    folds = folds_of(7, 10_000, 5)
    assert np.bincount(folds.astype(int)).min() > 1_800
    np.testing.assert_array_equal(folds_of(7, 100, 5), folds[:100])
    assert (folds_of(8, 10_000, 5) != folds).mean() > 0.7

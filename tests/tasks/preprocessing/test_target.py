from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import DataError, TrainingError
from tasks.preprocessing.columns import categories
from tasks.preprocessing.problem import TargetConfig, require_target
from tasks.preprocessing.raw_rows import RawRows
from tasks.preprocessing.statistics import CategorySummary, NumericSummary
from tasks.preprocessing.target import fit_target
from tasks.preprocessing.target_values import require_known, target_values
from tasks.preprocessing.targets import LabelsTarget, NumberTarget
from tests.tasks.data.tables import contract_of

CONTRACT = contract_of({"b": "boolean", "c": "boolean", "i": "integer", "w": "string", "x": "number"})
LABELS = LabelsTarget(labels=("b", "c"))
NUMBER = NumberTarget(column="x", source="number", center=10.0, spread=2.0)


def fit(given: dict[str, pa.Array], **config: Any):
    names = list(given)
    asked = TargetConfig(target=names[0] if len(names) == 1 else tuple(names), **config)
    kind = require_target(CONTRACT, asked)
    rows = RawRows(pa.table(given))
    summaries = {
        name: NumericSummary.of(rows.numbers(name)) if kind == "number" else CategorySummary.of(categories(values))
        for name, values in given.items()
    }
    return fit_target([CONTRACT.column(name) for name in names], summaries, asked, kind)


def test_classes_are_sorted_by_their_type():
    assert fit({"b": pa.array([1, 0, None])}).classes == (False, True)
    assert fit({"i": pa.array([10, 9, -1])}).classes == (-1, 9, 10)
    assert fit({"w": pa.array(["b", "a"])}, problem="binary").classes == ("a", "b")


def test_labels_keep_the_order_of_the_config():
    target = fit({"c": pa.array([True, False]), "b": pa.array([False, True])})
    assert (target.labels, target.problem, target.outputs) == (("c", "b"), "multilabel", 2)
    assert target.stored == ("target_0", "target_1")


def test_an_integer_column_is_a_number_when_the_config_says_so():
    target = fit({"i": pa.array([1, 2, 3, None])}, problem="regression")
    assert (target.source, target.center, target.problem) == ("integer", 2.0, "regression")
    assert target.spread == pytest.approx(math.sqrt(2 / 3), rel=1e-15)


def test_quantiles_have_a_score_each():
    values = {"x": pa.array([1.0, 2.0, 4.0])}
    assert fit(values, problem="quantile").quantiles == (0.1, 0.5, 0.9)
    assert fit(values, problem="quantile", quantiles=[0.25, 0.75]).outputs == 2


@pytest.mark.parametrize(
    ("given", "problem", "message"),
    [
        ({"w": pa.array(["a", "a"])}, "auto", "target w: the training split has one class, `a` in 2 rows"),
        ({"w": pa.array([None], pa.string())}, "auto", "no class"),
        ({"i": pa.array(range(1001))}, "auto", "1001 classes.*\n  do: .*`problem: regression`"),
        ({"i": pa.array(range(70_000))}, "auto", "more than 65536 classes"),
        ({"i": pa.array([1, 2, 3])}, "binary", r"3 classes, \[1, 2, 3\]\n  do: write `problem: multiclass`"),
        ({"w": pa.array(["a", "b"])}, "multiclass", "2 classes.*\n  do: write `problem: binary`"),
        ({"b": pa.array([True, False]), "c": pa.array([True, True])}, "auto", "target c: the label is true in all 2"),
        ({"x": pa.array([0.1, 0.1, 0.1])}, "auto", "target x: the number is 0.1 in all 3 training rows"),
        ({"x": pa.array([None], pa.float64())}, "auto", "target x: the number has no value in 1"),
        ({"x": pa.array([1.0, math.inf])}, "auto", "target x: 1 infinite values in 2"),
        ({"x": pa.array([-1e308, 1e308])}, "quantile", r"values to 1e\+308 from -1e\+308"),
        ({"x": pa.array([-1e150, 1e150])}, "auto", r"values to 1e\+150.* at most 1e\+100"),
        ({"x": pa.array([1e-300, 3e-300])}, "auto", r"values to 3e-300 from 1e-300 deviate by .* at least 1e-100"),
        ({"i": pa.array([2**60, 2**60 + 300])}, "regression", "float64 holds numbers of that size to 256; .* 2.56e"),
        ({"b": pa.array([True, True])}, "auto", "one class, `true` in 2 rows"),
    ],
)
def test_a_target_that_teaches_nothing_is_an_error_that_names_it(
    given: dict[str, pa.Array], problem: str, message: str
):
    with pytest.raises(TrainingError, match=message) as caught:
        fit(given, problem=problem)
    assert "\n  do: " in str(caught.value)


def test_large_integers_that_differ_by_much_are_numbers_to_learn():
    assert fit({"i": pa.array([2**60, 2**60 + 2**40])}, problem="regression").outputs == 1


def test_of_many_classes_five_are_named():
    known = pa.array([f"k{number}" for number in range(90)])
    with pytest.raises(
        DataError, match=r"\['other'\] are no classes .* has 90: 'k0', 'k1', 'k10', 'k11', 'k12', ...\n"
    ):
        require_known(RawRows(pa.table({"w": ["other"]})), fit({"w": known}), np.array([True]))


@given(
    values=st.lists(st.integers(-(10**12), 10**12), min_size=2, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=5),
)
@settings(max_examples=50, deadline=None)
def test_center_and_spread_are_those_of_numpy_over_any_partitioning(values: list[int], cuts: list[int]):
    column = np.array(values) / 1_000
    parts = [NumericSummary.of(part) for part in np.split(column, sorted(min(cut, len(column)) for cut in cuts))]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.merge(part)
    if column.min() == column.max():
        return
    target = fit_target([CONTRACT.column("x")], {"x": joined}, TargetConfig(target="x"), "number")
    assert isinstance(target, NumberTarget)
    largest = np.abs(column).max()
    assert abs(target.center - column.mean()) <= 1e-12 * largest
    assert abs(target.spread - column.std()) <= 1e-12 * largest


def test_labels_become_zeros_and_ones():
    rows = RawRows(pa.table({"b": [True, False, None], "c": [False, False, True]}))
    found = target_values(rows, LABELS)
    assert {name: values.dtype for name, values in found.columns.items()} == dict.fromkeys(LABELS.stored, np.float32)
    assert found.columns["target_0"][:2].tolist() == [1.0, 0.0]
    assert found.columns["target_1"].tolist() == [0.0, 0.0, 1.0]
    assert found.known.tolist() == [True, True, False]
    with pytest.raises(DataError, match=r"target b: 1 rows of a split have \[nan\]; expected true or false"):
        require_known(rows, LABELS, ~found.known)


def test_numbers_are_standardized():
    rows = RawRows(pa.table({"x": pa.array([12.0, 10, math.inf, None])}))
    found = target_values(rows, NUMBER)
    assert found.columns["target"].dtype == np.float64
    assert found.columns["target"][:2].tolist() == [1.0, 0.0]
    assert found.known.tolist() == [True, True, False, False]
    with pytest.raises(DataError, match=r"target x: 1 rows of a split have \[inf\]; expected finite"):
        require_known(rows, NUMBER, np.array([False, False, True, False]))

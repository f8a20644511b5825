from __future__ import annotations

import math
import statistics
from functools import reduce
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.custom import custom_counts
from data_contracts.generate import generate_records
from data_contracts.judge import judge
from data_contracts.measure import measure_partition
from data_contracts.measurements import DISTINCT_LIMIT, Measurements, merge
from data_contracts.parsing import parse_table
from data_contracts.row_rules import broken_rules

ROWS = 40
NEEDS_EVERYTHING = """
- name: n
  logicalType: integer
  quality:
  - {type: custom, engine: greatExpectations, implementation: {type: expect_column_mean_to_be_between}}
  - {type: custom, engine: greatExpectations, implementation: {type: expect_column_min_to_be_between}}
  - {type: custom, engine: greatExpectations, implementation: {type: expect_column_unique_value_count_to_be_between}}
- name: x
  logicalType: number
  quality:
  - {type: custom, engine: greatExpectations, implementation: {type: expect_column_stdev_to_be_between}}
- name: s
  logicalType: string
  quality:
  - {metric: nullValues, mustBe: 0}
  - {metric: missingValues, mustBe: 0, arguments: {missingValues: ['', '?']}}
  - {metric: missingValues, mustBe: 0, arguments: {missingValues: ['?']}}
  - {metric: invalidValues, mustBe: 0, arguments: {validValues: [a, b]}}
  - {metric: invalidValues, mustBe: 0, arguments: {pattern: '^[ab]$'}}
- name: d
  logicalType: date
  quality:
  - {type: custom, engine: greatExpectations, implementation: {type: expect_column_max_to_be_between}}
"""


def measure(table: pa.Table, contract) -> Measurements:
    parsed = parse_table(table, contract)
    return measure_partition(parsed, broken_rules(parsed, contract), contract, custom_counts(parsed, contract))


@pytest.fixture(scope="module")
def records(orders):
    return generate_records(orders, [column.name for column in orders.columns], ROWS, seed=3)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, ROWS), max_size=4), st.randoms(use_true_random=False))
def test_any_partitioning_in_any_order_is_judged_as_the_whole(orders, records, cuts, random):
    whole = measure(records, orders)
    edges = [0, *sorted(cuts), ROWS]
    parts = [measure(records.slice(a, b - a), orders) for a, b in pairwise(edges)]
    random.shuffle(parts)
    merged = reduce(merge, parts, Measurements())
    duplicates = {rule.id: 1 for rule in (*orders.key_rules, *orders.table_rules)}

    def judged(measurements):
        return [o.model_copy(update={"examples": ()}) for o in judge(orders, measurements, duplicates)]

    assert judged(merged) == judged(whole)
    assert {key: value.counts for key, value in merged.custom.items()} == {
        key: value.counts for key, value in whole.custom.items()
    }
    for name, column in whole.columns.items():
        found = merged.columns[name]
        assert found.model_copy(update={"moments": None}) == column.model_copy(update={"moments": None})
        if column.moments is not None:
            assert found.moments.total == column.moments.total
            assert found.moments.mean == pytest.approx(column.moments.mean, rel=1e-9)
            assert found.moments.deviations == pytest.approx(column.moments.deviations, rel=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, ROWS), st.integers(0, ROWS))
def test_merging_is_associative_but_for_rounding(orders, records, first, second):
    low, high = sorted((first, second))
    a, b, c = (measure(records.slice(i, j - i), orders) for i, j in ((0, low), (low, high), (high, ROWS)))
    left, right = merge(merge(a, b), c), merge(a, merge(b, c))
    for field in ("rows", "broken", "examples", "table", "custom"):
        assert getattr(left, field) == getattr(right, field)


def test_statistics(make_contract):
    contract = make_contract(NEEDS_EVERYTHING)
    table = pa.table(
        {
            "n": ["5", "-2", None, "5", "x"],
            "x": [1.5, 2.5, None, -4.0, 9.0],
            "s": ["a", "?", "", "c", None],
            "d": ["2013-01-02", "2013-01-01", None, None, "2013-02-30"],
        }
    )
    found = measure(table, contract)
    assert found.rows == 5
    n, x, d = (found.columns[name] for name in ("n", "x", "d"))
    assert (n.nulls, n.unreadable, n.minimum, n.maximum, n.distinct) == (1, 1, -2, 5, (-2, 5))
    assert (n.moments.count, n.moments.total) == (3, 8)
    numbers = [1.5, 2.5, -4.0, 9.0]
    assert x.moments.mean == statistics.mean(numbers)
    assert math.sqrt(x.moments.deviations / 3) == pytest.approx(statistics.stdev(numbers))
    assert (x.minimum, x.distinct) == (None, None), "nothing needs them"
    assert (d.minimum, d.maximum, d.unreadable) == ("2013-01-01", "2013-01-02", 1)
    assert found.table == {
        "s.nullValues": 2,
        "s.missingValues": 3,
        "s.missingValues.2": 1,
        "s.invalidValues": 2,
        "s.invalidValues.2": 2,
    }


def test_sums_of_integers_do_not_overflow(make_contract):
    contract = make_contract(NEEDS_EVERYTHING)
    table = pa.table({"n": [2**62, 2**62, 2**62, -1], "x": pa.nulls(4), "s": pa.nulls(4), "d": pa.nulls(4)})
    assert measure(table, contract).columns["n"].moments.total == 3 * 2**62 - 1


def test_json_holds_what_left_the_range_of_floats(make_contract):
    contract = make_contract(NEEDS_EVERYTHING)
    table = pa.table({"n": pa.nulls(3), "x": [1e308, 1e308, -1e308], "s": pa.nulls(3), "d": pa.nulls(3)})
    found = measure(table, contract)
    assert math.isinf(found.columns["x"].moments.deviations)
    assert Measurements.model_validate_json(found.model_dump_json()) == found


def test_too_many_distinct_values_are_left_out(make_contract):
    contract = make_contract(NEEDS_EVERYTHING)

    def part(start: int, rows: int) -> Measurements:
        nothing = pa.nulls(rows)
        return measure(pa.table({"n": range(start, start + rows), "x": nothing, "s": nothing, "d": nothing}), contract)

    half = DISTINCT_LIMIT // 2
    full = merge(part(0, half), part(half, half)).columns["n"]
    assert (len(full.distinct), full.distinct_left_out) == (DISTINCT_LIMIT, False)
    beyond = merge(merge(part(0, half), part(half, half)), part(5_000, 1)).columns["n"]
    assert (beyond.distinct, beyond.distinct_left_out) == (None, True)
    assert merge(part(0, DISTINCT_LIMIT + 1), part(0, 1)).columns["n"].distinct_left_out


def test_a_rule_over_several_columns_counts_a_row_once(make_contract):
    rule = "- {metric: nullValues, mustBe: 0, arguments: {properties: [a, b]}}"
    contract = make_contract("- {name: a, logicalType: string}\n- {name: b, logicalType: string}", rule)
    table = pa.table({"a": [None, None, "x"], "b": [None, "y", "y"]})
    assert measure(table, contract).table == {"table.nullValues": 2}

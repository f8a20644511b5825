from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.generate import generate_records
from data_contracts.parsing import ARROW_TYPES, ParsedTable, parse_table
from data_contracts.row_rules import broken_rules
from tests.data_contracts import oracle

VALUES = {
    "string": st.one_of(
        st.text(max_size=6),
        st.sampled_from(["north", "S", "M", "NA", "AB12", "AB", "ZZ9\n", "a@b.org", "10.0.0.1", "a" * 50]),
    ),
    "integer": st.one_of(st.integers(-120, 120), st.integers(-(2**63), 2**63 - 1)),
    "number": st.one_of(
        st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([-10.5, 999.75, 1000.0, 0.1, -0.0, 12.25])
    ),
    "boolean": st.booleans(),
    "date": st.dates(dt.date(2012, 12, 30), dt.date(2015, 1, 2)),
    "timestamp": st.datetimes(
        dt.datetime(2012, 12, 31, 22), dt.datetime(2015, 1, 1, 2), timezones=st.just(dt.UTC)  # noqa: DTZ001
    ),
}  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_rules_agree_with_plain_python(orders, data):
    rows = data.draw(st.integers(1, 5))
    arrays = {
        column.name: pa.array(
            data.draw(st.lists(st.none() | VALUES[column.logical_type], min_size=rows, max_size=rows)),
            ARROW_TYPES[column.logical_type],
        )
        for column in orders.columns
    }
    table = pa.table(arrays)
    found = broken_rules(ParsedTable(table, {}), orders)
    expected = np.array(
        [
            [not oracle.holds(rule, row[rule.column], orders.column(rule.column)) for rule in orders.row_rules]
            for row in table.to_pylist()
        ]
    )
    assert found.counts == dict(zip((r.id for r in orders.row_rules), expected.sum(axis=0).tolist(), strict=True))
    assert found.first.tolist() == [int(np.argmax(row)) if row.any() else -1 for row in expected]


def test_unreadable_breaks_type_alone_and_null_breaks_required_alone(make_contract):
    contract = make_contract("""
- {name: a, logicalType: integer, required: true, logicalTypeOptions: {minimum: 5}}
- {name: b, logicalType: string, enum: [{value: x}]}
""")
    parsed = parse_table(pa.table({"a": ["1", "x", "", "7"], "b": ["x", "y", "", "y"]}), contract)
    found = broken_rules(parsed, contract)
    assert found.counts == {"a.type": 1, "a.required": 1, "a.minimum": 1, "b.enum": 2}
    assert [contract.row_rules[index].id for index in found.first] == ["a.minimum", "a.type", "a.required", "b.enum"]
    assert found.examples == {"a.type": ("x",), "a.required": ("null",), "a.minimum": ("1",), "b.enum": ("y", "y")}


def test_an_all_null_column_breaks_required_in_every_row(make_contract):
    contract = make_contract("- {name: a, logicalType: number, required: true, logicalTypeOptions: {minimum: 5}}")
    found = broken_rules(parse_table(pa.table({"a": pa.nulls(3)}), contract), contract)
    assert found.counts == {"a.type": 0, "a.required": 3, "a.minimum": 0}


def test_a_rule_that_nothing_satisfies_breaks_every_row(make_contract):
    contract = make_contract("- {name: a, logicalType: number, logicalTypeOptions: {minimum: 5, maximum: 1}}")
    found = broken_rules(parse_table(pa.table({"a": [0.0, 3.0, 9.0]}), contract), contract)
    assert (found.first >= 0).all()


def test_pattern_is_searched_for(make_contract):
    contract = make_contract("- {name: a, logicalType: string, logicalTypeOptions: {pattern: '[0-9]'}}")
    found = broken_rules(parse_table(pa.table({"a": ["a1b", "ab"]}), contract), contract)
    assert found.first.tolist() == [-1, 0]


def test_a_fractional_bound_of_integers(make_contract):
    contract = make_contract("- {name: a, logicalType: integer, logicalTypeOptions: {minimum: 1.5}}")
    found = broken_rules(parse_table(pa.table({"a": [1, 2]}), contract), contract)
    assert found.first.tolist() == [1, -1]


def test_examples_are_few_short_and_hide_confidential_values(make_contract):
    options = "logicalTypeOptions: {maxLength: 1}"
    contract = make_contract(f"""
- {{name: a, logicalType: string, classification: Confidential, {options}}}
- {{name: b, logicalType: string, {options}}}
- {{name: c, logicalType: integer, classification: restricted}}
""")
    table = pa.table({"a": ["secret"] * 9, "b": ["x" * 500] * 9, "c": ["secret"] * 9})
    found = broken_rules(parse_table(table, contract), contract)
    assert found.examples["a.max_length"] == ("***",) * 5
    assert found.examples["c.type"] == ("***",) * 5
    assert len(found.examples["b.max_length"]) == 5
    assert all(len(text) == 80 for text in found.examples["b.max_length"])


def test_instants_beyond_python_are_shown(make_contract):
    contract = make_contract("- {name: a, logicalType: timestamp, logicalTypeOptions: {maximum: '2020-01-01'}}")
    far = pa.array([5 * 10**17], pa.int64()).cast(pa.timestamp("us", "UTC"))
    found = broken_rules(parse_table(pa.table({"a": far}), contract), contract)
    assert found.counts["a.maximum"] == 1
    assert found.examples["a.maximum"][0].startswith("17814-")


def test_rules_of_columns_left_out_are_not_checked(orders):
    table = generate_records(orders, ["shop", "size"], 10, seed=0)
    found = broken_rules(parse_table(table, orders, columns=["shop", "size"]), orders)
    assert {rule for rule, count in found.counts.items() if count} <= {"shop.enum", "shop.required", "size.enum"}

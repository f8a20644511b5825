from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest

from data_contracts.generate import generate_records
from data_contracts.parsing import ARROW_TYPES

ROWS = 3_000


@pytest.fixture(scope="module")
def names(orders):
    return [column.name for column in orders.columns]


@pytest.fixture(scope="module")
def records(orders, names):
    return generate_records(orders, names, ROWS, seed=1)


def test_types_and_order(orders, names, records):
    assert records.column_names == names
    assert [field.type for field in records.schema] == [ARROW_TYPES[c.logical_type] for c in orders.columns]


def test_only_nullable_columns_have_nulls(orders, records):
    for column in orders.columns:
        nulls = records.column(column.name).null_count
        assert nulls == 0 if column.required else ROWS / 20 < nulls < ROWS / 5


def test_the_same_seed_gives_the_same_values_whichever_columns_are_asked_for(orders, names, records):
    assert generate_records(orders, names, ROWS, seed=1).equals(records)
    assert generate_records(orders, ["size", "amount"], ROWS, seed=1).equals(records.select(["size", "amount"]))
    assert not generate_records(orders, names, ROWS, seed=2).equals(records)


def test_extremes_are_there(records):
    amounts = set(records.column("amount").to_pylist())
    assert {1e308, -1e308, 5e-324, 1000.0, -10.5, np.nextafter(1000.0, np.inf)} <= amounts
    zeros = [value for value in records.column("amount").to_pylist() if value == 0]
    assert {bool(np.signbit(value)) for value in zeros} == {True, False}
    assert {-1, 0, 1, 99, 100, 101, 2**63 - 1} <= set(records.column("number").to_pylist())
    assert {"", "north", "south", "north ", "never-seen-before"} <= set(records.column("shop").to_pylist())
    years = pc.year(records.column("shipped_at"))
    assert {1, 1582, 9999} <= set(years.to_pylist())


def test_bounds_in_the_wrong_order_do_not_stop_it(make_contract):
    contract = make_contract("- {name: a, logicalType: number, logicalTypeOptions: {minimum: 5, maximum: 1}}")
    assert generate_records(contract, ["a"], 10, seed=0).num_rows == 10

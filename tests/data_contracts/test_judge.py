from __future__ import annotations

import pytest

from data_contracts.judge import holds, judge
from data_contracts.measurements import Measurements

PROPERTIES = "- {name: a, logicalType: string, unique: true, required: true, enum: [{value: x}, {value: y}]}"


@pytest.mark.parametrize(
    ("operator", "bound", "keeping", "breaking"),
    [
        ("mustBe", 3, [3], [2, 4]),
        ("mustNotBe", 3, [2, 4], [3]),
        ("mustBeGreaterThan", 3, [4], [2, 3]),
        ("mustBeGreaterOrEqualTo", 3, [3, 4], [2]),
        ("mustBeLessThan", 3, [2], [3, 4]),
        ("mustBeLessOrEqualTo", 3, [2, 3], [4]),
        ("mustBeBetween", (3, 5), [3, 4, 5], [2, 6]),
        ("mustNotBeBetween", (3, 5), [2, 6], [3, 4, 5]),
    ],
)
def test_operators(operator, bound, keeping, breaking):
    assert all(holds(operator, value, bound) for value in keeping)
    assert not any(holds(operator, value, bound) for value in breaking)


def test_row_key_and_table_rules(make_contract):
    contract = make_contract(
        PROPERTIES,
        """
- {metric: rowCount, mustBeBetween: [1, 5]}
- {metric: nullValues, mustBeLessThan: 50, unit: percent, arguments: {properties: [a]}}
- {metric: duplicateValues, mustBe: 0, severity: warning, arguments: {properties: [a]}}
""",
    )
    measurements = Measurements(
        rows=4, broken={"a.enum": 2}, examples={"a.enum": ("p", "q")}, table={"table.nullValues": 2}
    )
    outcomes = {o.id: o for o in judge(contract, measurements, {"a.unique": 1, "table.duplicateValues": 1})}
    assert list(outcomes) == [
        "a.required", "a.enum", "a.unique", "table.rowCount", "table.nullValues", "table.duplicateValues",
    ]  # fmt: skip
    assert outcomes["a.required"].passed
    enum = outcomes["a.enum"]
    assert (enum.passed, enum.broken, enum.expected, enum.examples) == (False, 2, "one of x, y", ("p", "q"))
    assert (outcomes["a.unique"].passed, outcomes["a.unique"].broken) == (False, 1)
    assert (outcomes["table.rowCount"].passed, outcomes["table.rowCount"].observed) == (True, 4)
    nulls = outcomes["table.nullValues"]
    assert (nulls.passed, nulls.observed, nulls.broken) == (False, 50.0, 2)
    assert nulls.expected == "nullValues mustBeLessThan 50 percent"
    assert outcomes["table.duplicateValues"].severity == "warning"


def test_no_rows_have_no_share_of_anything(make_contract):
    contract = make_contract(
        PROPERTIES, "- {metric: nullValues, mustBe: 0, unit: percent, arguments: {properties: [a]}}"
    )
    outcomes = judge(contract, Measurements(), {"a.unique": 0})
    assert all(outcome.passed for outcome in outcomes)

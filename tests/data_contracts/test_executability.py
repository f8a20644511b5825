from __future__ import annotations

import re

import pytest

from data_contracts.contract import ExpectationRule
from data_contracts.executability import why_not

KNOWN = ["expect_column_mean_to_be_between", "expect_column_values_to_match_regex", "expect_column_values_to_be_unique"]


@pytest.mark.parametrize(
    ("name", "kwargs", "metric", "reason"),
    [
        ("expect_column_mean_to_be_betwen", {}, None, "no expectation .*; did you mean expect_column_mean_to_be_betw"),
        ("expect_column_values_to_be_unique", {"column": "code"}, "column_values.unique", "needs all rows at once"),
        ("expect_column_mean_to_be_between", {"column": "amont"}, None, "no column 'amont'; did you mean amount"),
        (
            "expect_column_mean_to_be_between",
            {"column": "amount", "row_condition": "x"},
            None,
            "with row_condition needs all rows",
        ),
    ],
)
def test_reasons(orders, name, kwargs, metric, reason):
    found = why_not(ExpectationRule(id="r", type=name, kwargs=kwargs), orders, KNOWN, metric)
    assert found is not None
    assert re.search(reason, found), found


def test_what_can_be_executed(orders):
    rule = ExpectationRule(id="r", type=KNOWN[1], kwargs={"column": "code", "regex": "x"})
    assert why_not(rule, orders, KNOWN, "column_values.match_regex") is None

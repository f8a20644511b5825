from __future__ import annotations

import re

import pytest

from data_contracts.contract import ExpectationRule
from data_contracts.executability import Mode, execution, how_executed, why_not

KNOWN = (
    "expect_column_mean_to_be_between",
    "expect_column_to_exist",
    "expect_column_values_to_match_like_pattern",
    "expect_query_results_to_match_comparison",
)


def rule(name, **kwargs):
    return ExpectationRule(id="r", type=name, kwargs=kwargs)


@pytest.mark.parametrize(
    ("name", "kwargs", "reason"),
    [
        ("expect_column_mean_to_be_betwen", {}, "no expectation .*; did you mean expect_column_mean_to_be_betw"),
        ("expect_column_mean_to_be_between", {"column": "amont"}, "no column 'amont'; did you mean amount"),
        ("expect_column_values_to_match_like_pattern", {"column": "code"}, "say it as a regular expression"),
        ("expect_query_results_to_match_comparison", {}, "asks a database"),
    ],
)
def test_reasons(orders, name, kwargs, reason):
    found = why_not(rule(name, **kwargs), orders, KNOWN)
    assert re.search(reason, found), found


def test_nothing_speaks_against_a_good_rule(orders):
    assert why_not(rule("expect_column_mean_to_be_between", column="amount"), orders, KNOWN) is None
    assert why_not(rule("expect_column_to_exist", column="other"), orders, KNOWN) is None


@pytest.mark.parametrize(
    ("name", "kwargs", "mode", "again"),
    [
        ("expect_column_mean_to_be_between", {"column": "amount", "max_value": 1}, Mode.FAST, False),
        ("expect_column_values_to_be_between", {"column": "amount", "max_value": 1}, Mode.FAST, False),
        ("expect_column_values_to_be_between", {"column": "code", "max_value": "x"}, Mode.PARTITION, False),
        ("expect_column_values_to_match_regex", {"column": "code", "regex": "["}, Mode.PARTITION, False),
        ("expect_column_values_to_be_json_parseable", {"column": "code"}, Mode.PARTITION, False),
        ("expect_column_values_to_be_increasing", {"column": "amount"}, Mode.PARTITION, True),
        ("expect_column_value_z_scores_to_be_less_than", {"column": "amount"}, Mode.PARTITION, True),
        ("expect_column_median_to_be_between", {"column": "amount"}, Mode.GATHERED, True),
        ("expect_column_values_to_be_unique", {"column": "code"}, Mode.GATHERED, True),
    ],
)
def test_the_way_of_each(orders, name, kwargs, mode, again):
    how = execution(rule(name, **kwargs), orders)
    assert (how.mode, how.again) == (mode, again)
    assert how.why


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("expect_column_mean_to_be_between", Mode.GATHERED),
        ("expect_column_values_to_be_increasing", Mode.GATHERED),
        ("expect_column_values_to_be_between", Mode.PARTITION),
    ],
)
def test_a_condition_in_code_is_the_librarys_to_apply(orders, name, mode):
    conditioned = rule(name, column="amount", max_value=1, row_condition="amount > 0", condition_parser="pandas")
    assert execution(conditioned, orders).mode is mode


def test_every_expectation_of_a_contract_is_told(orders):
    told = how_executed(orders)
    assert [each for each, _, _ in told] == list(orders.expectation_rules)
    assert {mode for _, mode, _ in told} == {"fast"}

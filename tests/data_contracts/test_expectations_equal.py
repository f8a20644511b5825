"""Every expectation that can be executed: ours over partitions against the library's own engine over the whole."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from data_contracts import expectations
from data_contracts.contract import Column, Contract, ExpectationRule
from data_contracts.custom import own_results
from data_contracts.expectation_judge import judged_without_library
from data_contracts.frames import expectation_frame
from data_contracts.judge import judge_expectations
from data_contracts.masking import masked_kwargs
from data_contracts.measurements import Measurements
from data_contracts.parsing import parse_table
from tests.data_contracts.own_engine import (
    by_rule,
    count,
    judged_whole,
    measured,
    orders,
    plain,
    raw_tables,
    same,
    whole_frame,
)

__all__ = ["whole_frame"]

COLUMNS = {
    "s": "string", "u": "string", "n": "number", "m": "number", "i": "integer", "b": "boolean", "d": "date",
    "t": "timestamp",
}  # fmt: skip
NUMBERS = ["n", "i"]
MOSTLY = (None, 0.3, 0.5, 0.75, 1.0)


def bounds(low, high, *, strict=True):
    flags = st.sampled_from([{}, {"strict_min": True}, {"strict_max": True}]) if strict else st.just({})
    ends = st.tuples(st.sampled_from(low), st.sampled_from(high))
    both = ends.map(lambda pair: {"min_value": pair[0], "max_value": pair[1]})
    one = st.one_of(ends.map(lambda pair: {"min_value": pair[0]}), ends.map(lambda pair: {"max_value": pair[1]}))
    return st.tuples(st.one_of(both, one), flags).map(lambda found: {**found[0], **found[1]})


def with_(columns, *others, mostly=False):
    """Draw the arguments of an expectation of one column."""
    shares = st.sampled_from(MOSTLY if mostly else (None,))
    shares = shares.map(lambda share: {} if share is None else {"mostly": share})
    parts = st.tuples(st.sampled_from(columns).map(lambda name: {"column": name}), shares, *others)
    return parts.map(lambda found: {key: value for part in found for key, value in part.items()})


def one(**choices):
    return st.fixed_dictionaries({key: st.sampled_from(values) for key, values in choices.items()})


SPAN = bounds([-1, 0, 0.5, 1], [1, 2, 7.25, 9])
COUNTS = bounds([0, 1, 5], [5, 10, 40], strict=False)
SETS = one(value_set=[["a"], ["a", "b", "zz"], ["bb", "é", "c1", "a", "b", "2013-01-05", '{"k": 1}']])
NUMBER_SETS = one(value_set=[[0], [0, 1, 2], [-2, -1, 0, 0.5, 1, 2, 3, 7.25, 9]])
WHOLE_SETS = one(value_set=[[0], [0, 1, 2], [-2, -1, 0, 1, 2, 3, 9]])
PAIR = {"column_A": "n", "column_B": "m"}
LISTED = {"column_list": ["n", "m"]}
MISSING = one(ignore_row_if=["all_values_are_missing", "any_value_is_missing", "never"])
SHARE = bounds([0, 0.2, 0.5], [0.5, 0.8, 1.0], strict=False)
CONDITION = {"row_condition": "n > 0", "condition_parser": "pandas"}
TEXT = ["s", "u"]
EVERY = list(COLUMNS)

# By name, how the arguments of every expectation that can be executed are drawn; `+` marks a second way.
ARGUMENTS = {
    "expect_column_distinct_values_to_be_in_set": with_(TEXT, SETS),
    "expect_column_distinct_values_to_contain_set": with_(TEXT, SETS),
    "expect_column_distinct_values_to_equal_set": with_(["i"], WHOLE_SETS),
    "expect_column_kl_divergence_to_be_less_than": with_(
        ["b"], st.just({"partition_object": {"values": [True, False], "weights": [0.6, 0.4]}, "threshold": 0.1})
    ),
    "expect_column_max_to_be_between": with_(NUMBERS, SPAN),
    "expect_column_max_to_be_between+": with_(["d", "t"], bounds(["2013-01-01"], ["2013-01-15"])),
    "expect_column_mean_to_be_between": with_(NUMBERS, SPAN),
    "expect_column_mean_to_be_between+": with_(NUMBERS, SPAN, st.just(CONDITION)),
    "expect_column_median_to_be_between": with_(NUMBERS, SPAN),
    "expect_column_min_to_be_between": with_(NUMBERS, SPAN),
    "expect_column_most_common_value_to_be_in_set": with_(TEXT, SETS),
    "expect_column_pair_values_a_to_be_greater_than_b": one(or_equal=[True, False]).map(lambda k: PAIR | k),
    "expect_column_pair_values_to_be_equal": one(mostly=[0.5, 1.0]).map(lambda k: PAIR | k),
    "expect_column_pair_values_to_be_in_set": one(value_pairs_set=[[(0, 1), (1, 1)]]).map(lambda k: PAIR | k),
    "expect_column_proportion_of_non_null_values_to_be_between": with_(EVERY, SHARE),
    "expect_column_proportion_of_unique_values_to_be_between": with_(EVERY, SHARE),
    "expect_column_quantile_values_to_be_between": with_(
        NUMBERS, st.just({"quantile_ranges": {"quantiles": [0.25, 0.5], "value_ranges": [[None, 1], [0, 2]]}})
    ),
    "expect_column_stdev_to_be_between": with_(NUMBERS, bounds([0, 1], [2, 5])),
    "expect_column_sum_to_be_between": with_(NUMBERS, bounds([-5, 0, 5], [5, 20, 60])),
    "expect_column_to_exist": with_([*EVERY, "zz"]),
    "expect_column_type_to_be": with_(["s", "n"], one(type_=["str", "float64", "object"])),
    "expect_column_unique_value_count_to_be_between": with_(["s", "n", "i", "b"], COUNTS),
    "expect_column_value_lengths_to_be_between": with_(TEXT, bounds([0, 1, 2], [2, 3, 20]), mostly=True),
    "expect_column_value_lengths_to_equal": with_(TEXT, one(value=[1, 2]), mostly=True),
    "expect_column_value_z_scores_to_be_less_than": with_(
        NUMBERS, one(threshold=[0.5, 1.5], double_sided=[True, False]), mostly=True
    ),
    "expect_column_values_to_be_between": with_(NUMBERS, SPAN, mostly=True),
    "expect_column_values_to_be_between+": with_(["d", "t"], bounds(["2013-01-01"], ["2013-01-15"]), mostly=True),
    "expect_column_values_to_be_between++": with_(NUMBERS, SPAN, st.just(CONDITION)),
    "expect_column_values_to_be_dateutil_parseable": with_(TEXT, mostly=True),
    "expect_column_values_to_be_decreasing": with_(["n", "i", "t"], one(strictly=[True, False]), mostly=True),
    "expect_column_values_to_be_in_set": with_(TEXT, SETS, mostly=True),
    "expect_column_values_to_be_in_set+": with_(["n"], NUMBER_SETS, mostly=True),
    "expect_column_values_to_be_in_type_list": with_(EVERY, one(type_list=[["str", "int64"], ["bool", "float64"]])),
    "expect_column_values_to_be_increasing": with_(["n", "i", "t"], one(strictly=[True, False]), mostly=True),
    "expect_column_values_to_be_json_parseable": with_(TEXT, mostly=True),
    "expect_column_values_to_be_multiples_of": with_(NUMBERS, one(factor=[0.5, 2.0]), mostly=True),
    "expect_column_values_to_be_null": with_(EVERY, mostly=True),
    "expect_column_values_to_be_of_type": with_(EVERY, one(type_=["str", "bool", "float64"])),
    "expect_column_values_to_be_unique": with_(EVERY, mostly=True),
    "expect_column_values_to_match_json_schema": with_(
        ["u"], st.just({"json_schema": {"type": "object"}, "row_condition": "u == '{\"k\": 1}'"} | {
            "condition_parser": "pandas"
        }),
    ),
    "expect_column_values_to_match_regex": with_(TEXT, one(regex=["^[a-c]", "[0-9]$", "^(?!a)", "^.$"]), mostly=True),
    "expect_column_values_to_match_regex_list": with_(
        TEXT, one(regex_list=[["^a", "b$"]], match_on=["any", "all"]), mostly=True
    ),
    "expect_column_values_to_match_strftime_format": with_(TEXT, st.just({"strftime_format": "%Y-%m-%d"}), mostly=True),
    "expect_column_values_to_not_be_in_set": with_(TEXT, SETS, mostly=True),
    "expect_column_values_to_not_be_in_set+": with_(["i"], WHOLE_SETS, mostly=True),
    "expect_column_values_to_not_be_null": with_(EVERY, mostly=True),
    "expect_column_values_to_not_be_outliers": with_(NUMBERS, one(method=["iqr"], multiplier=[0.5, 1.5]), mostly=True),
    "expect_column_values_to_not_match_regex": with_(TEXT, one(regex=["^[a-c]", "[0-9]$"]), mostly=True),
    "expect_column_values_to_not_match_regex_list": with_(TEXT, one(regex_list=[["^a", "b$"]]), mostly=True),
    "expect_compound_columns_to_be_unique": MISSING.map(lambda k: LISTED | k),
    "expect_multicolumn_sum_to_equal": st.tuples(one(sum_total=[0, 1, 3]), MISSING).map(lambda k: LISTED | k[0] | k[1]),
    "expect_multicolumn_values_to_be_equal": MISSING.map(lambda k: LISTED | k),
    "expect_select_column_values_to_be_unique_within_record": MISSING.map(lambda k: LISTED | k),
    "expect_table_column_count_to_be_between": COUNTS,
    "expect_table_column_count_to_equal": one(value=[8, 9]),
    "expect_table_columns_to_match_ordered_list": one(column_list=[EVERY, EVERY[::-1]]),
    "expect_table_columns_to_match_set": one(column_set=[EVERY, EVERY[1:]], exact_match=[True, False]),
    "expect_table_row_count_to_be_between": COUNTS,
    "expect_table_row_count_to_equal": one(value=[0, 7]),
}  # fmt: skip
REFUSED = {
    "expect_column_values_to_match_like_pattern",
    "expect_column_values_to_match_like_pattern_list",
    "expect_column_values_to_not_match_like_pattern",
    "expect_column_values_to_not_match_like_pattern_list",
    "expect_query_results_to_match_comparison",
    "expect_table_row_count_to_equal_other_table",
    "unexpected_rows_expectation",
}
NAMES = sorted(ARGUMENTS)


# Of those also without the library, whatever the arguments.
WITHOUT_LIBRARY = {
    "expect_column_distinct_values_to_be_in_set", "expect_column_distinct_values_to_contain_set",
    "expect_column_max_to_be_between", "expect_column_mean_to_be_between", "expect_column_min_to_be_between",
    "expect_column_stdev_to_be_between", "expect_column_sum_to_be_between",
    "expect_column_value_lengths_to_be_between", "expect_column_value_lengths_to_equal",
    "expect_column_values_to_be_between", "expect_column_values_to_be_between+",
    "expect_column_values_to_be_in_set", "expect_column_values_to_be_in_set+", "expect_column_values_to_be_null",
    "expect_column_values_to_match_regex", "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_not_be_in_set+", "expect_column_values_to_not_be_null",
    "expect_column_values_to_not_match_regex", "expect_table_row_count_to_be_between",
}  # fmt: skip


@st.composite
def cases(draw, names=tuple(NAMES)):
    """Draw some rules, a raw table, where it is cut, and an order to merge in."""
    names = draw(st.lists(st.sampled_from(names), min_size=5, max_size=5, unique=True))
    rules = tuple(
        ExpectationRule(id=name, type=name.rstrip("+"), kwargs=draw(ARGUMENTS[name]), line=1) for name in names
    )
    columns = tuple(Column(name=name, logical_type=kind) for name, kind in COLUMNS.items())
    contract = Contract(name="c", version="1", path="c.yaml", digest="0", columns=columns, expectation_rules=rules)
    return contract, draw(raw_tables(COLUMNS)), *draw(orders())


@settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(case=cases())
def test_ours_equals_the_librarys_own_engine(whole_frame, case):
    contract, raw, shares, order = case
    own = judged_whole(whole_frame, contract, expectation_frame(parse_table(raw, contract).table))
    measurements = measured(raw, contract, shares, order)
    document = expectations.own_results(contract, measurements)
    assert _outcomes(contract, own_results(contract, measurements)) == _outcomes(contract, document["results"])
    found = by_rule(document)
    for rule, theirs in own.items():
        mine = found[rule]
        assert not theirs["exception_info"].get("raised_exception"), theirs
        assert mine["success"] == theirs["success"], (mine, theirs)
        for key, value in theirs["result"].items():
            if not key.startswith("partial_unexpected_"):
                assert same(mine["result"].get(key), value), (key, mine, theirs)
        listed = theirs["result"].get("partial_unexpected_list")
        if listed is not None:
            together = mine["result"]["partial_unexpected_list"]
            assert count(together) == count(listed) if len(listed) < 20 else len(together) == 20, (mine, theirs)
            assert order != sorted(order) or plain(together) == plain(listed), (mine, theirs)


def _outcomes(contract, results):
    # The library writes whole numbers in some of the arguments as 1.0.
    return [each.model_dump(exclude={"expected"}) for each in judge_expectations(contract, {"results": results})]


@settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(case=cases(sorted(WITHOUT_LIBRARY)))
def test_the_common_ones_are_judged_alike_without_the_library(case):
    contract, raw, shares, order = case
    contract = contract.model_copy(update={"columns": tuple(_secret(column) for column in contract.columns)})
    measurements = measured(raw, contract, shares, order)
    results = judged_without_library(contract, measurements)
    assert len(results) == len(contract.expectation_rules)
    document = expectations.own_results(contract, measurements)
    assert _outcomes(contract, results) == _outcomes(contract, document["results"])


def _secret(column):
    return column.model_copy(update={"classification": "restricted"}) if column.name in {"u", "i"} else column


@pytest.mark.parametrize(
    ("type_", "kwargs"),
    [
        ("expect_column_mean_to_be_between", {"min_vale": 1}),
        ("expect_column_mean_to_be_between", {"min_value": "1"}),
        ("expect_column_mean_to_be_between", {"min_value": 2, "max_value": 1}),
        ("expect_column_min_to_be_between", {"min_value": 1, "mostly": 0.5}),
        ("expect_column_values_to_not_be_null", {"mostly": 1.5}),
        ("expect_column_values_to_not_be_null", {"mostly": True}),
        ("expect_column_values_to_be_null", {"min_value": 1}),
        ("expect_column_values_to_be_between", {"min_value": 1, "strict_min": "yes"}),
    ],
)
def test_what_leaves_a_doubt_is_left_to_the_library(type_, kwargs):
    rule = ExpectationRule(id="r", type=type_, kwargs={"column": "n", **kwargs})
    columns = (Column(name="n", logical_type="number"),)
    contract = Contract(name="c", version="1", path="c", digest="0", columns=columns, expectation_rules=(rule,))
    assert judged_without_library(contract, Measurements(rows=1)) == []


def test_every_expectation_of_the_library_is_compared_or_refused():
    known = set(expectations.known_expectations())
    assert known - REFUSED - {"expect_contract_metric_to_hold"} == {name.rstrip("+") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_expectation_has_its_sentence(name):
    @settings(max_examples=4, phases=[Phase.generate])
    @given(kwargs=ARGUMENTS[name])
    def check(kwargs):
        for shown in (kwargs, masked_kwargs(kwargs)):
            parts = expectations.sentence(name.rstrip("+"), shown)
            assert len("".join(part.text for part in parts)) > 10, parts
            assert not any("$" in part.text for part in parts if not part.value), parts

    check()

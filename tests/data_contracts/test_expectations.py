from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import great_expectations as gx
import pyarrow as pa
import pytest

from data_contracts import expectations
from data_contracts.contract import TableRule
from data_contracts.custom import custom_counts, look_again
from data_contracts.errors import ContractError
from data_contracts.frames import expectation_frame
from data_contracts.generate import generate_records
from data_contracts.judge import judge, judge_expectations
from data_contracts.measure import measure_partition
from data_contracts.measurements import Measurements, merge
from data_contracts.parsing import ParsedTable, parse_table
from data_contracts.row_rules import broken_rules
from data_contracts.trial import inexecutable_rules

ROWS = 300
# The library holds a column of whole numbers with nulls as floats, so beyond 2**53 it sees other numbers than we do.
EXACT = 2**53


def measure(parsed, contract) -> Measurements:
    return measure_partition(parsed, broken_rules(parsed, contract), contract, custom_counts(parsed, contract))


def custom(name: str, *, severity: str = "error", **kwargs) -> str:
    rule = {
        "type": "custom",
        "engine": "greatExpectations",
        "severity": severity,
        "implementation": {"type": name, "kwargs": kwargs},
    }
    return f"- {json.dumps(rule)}"


@pytest.fixture(scope="module")
def parsed(orders):
    raw = generate_records(orders, [column.name for column in orders.columns], ROWS, seed=5)
    small = [
        all(row[name] is None or abs(row[name]) < EXACT for name in ("order_id", "number", "grade"))
        for row in raw.to_pylist()
    ]
    return parse_table(raw.filter(pa.array(small)), orders)


@pytest.fixture(scope="module")
def duplicates(orders, parsed):
    frame = expectation_frame(parsed.table)
    rules = [rule for rule in (*orders.key_rules, *orders.table_rules) if rule.columns]
    return {
        rule.id: int(
            frame[list(rule.columns)].dropna().duplicated(keep="first" if isinstance(rule, TableRule) else False).sum()
        )
        for rule in rules
        if not isinstance(rule, TableRule) or rule.metric == "duplicateValues"
    }


@pytest.fixture(scope="module")
def validation(orders, parsed, duplicates):
    return expectations.validation_result(orders, measure(parsed, orders), duplicates)


@pytest.fixture(scope="module")
def own_results(orders, parsed):
    """What the library's own pandas engine finds in the same rows with the same suite."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": expectation_frame(parsed.table)})
    found = batch.validate(expectations.build_suite(orders), result_format="BASIC").to_json_dict()
    return {result["expectation_config"]["meta"]["rule"]: result for result in found["results"]}


def test_results_equal_the_librarys_own_engine(orders, validation, own_results):
    compared = 0
    for result in validation["results"]:
        rule = result["expectation_config"]["meta"]["rule"]
        own = own_results[rule]
        assert own["exception_info"].get("raised_exception") is False, own
        if rule.endswith(".type"):
            continue  # it asks a typed column only for its type; what could not be read is tested below
        assert result["success"] == own["success"], rule
        keys = {"element_count", "unexpected_count", "missing_count"} & set(own["result"])
        assert {key: result["result"][key] for key in keys} == {key: own["result"][key] for key in keys}, rule
        if isinstance(observed := own["result"].get("observed_value"), int | float):
            assert result["result"]["observed_value"] == pytest.approx(observed, rel=1e-9), rule
        compared += 1
    assert compared == len(own_results) - sum(rule.kind == "type" for rule in orders.row_rules)


def test_the_library_and_the_judge_agree(orders, parsed, duplicates, validation):
    passed = {result["expectation_config"]["meta"]["rule"]: result["success"] for result in validation["results"]}
    for outcome in judge(orders, measure(parsed, orders), duplicates):
        assert outcome.passed == passed[outcome.id], outcome


def test_the_result_is_plain_json_without_times(validation):
    text = json.dumps(validation, allow_nan=False)
    assert validation["suite_name"] == "orders"
    assert validation["statistics"]["evaluated_expectations"] == len(validation["results"])
    assert "run_id" not in text
    assert "validation_time" not in text
    assert not validation["success"]


def test_partitions_give_the_result_of_the_whole(orders, parsed, duplicates, validation):
    table = parsed.table
    parts = [parse_table(table.slice(start, 70), orders) for start in range(0, table.num_rows, 70)]
    merged = reduce(merge, [measure(part, orders) for part in parts])
    again = expectations.validation_result(orders, merged, duplicates)

    def facts(document):
        keys = ("element_count", "unexpected_count", "missing_count")
        return [(result["success"], *(result["result"].get(key) for key in keys)) for result in document["results"]]

    assert facts(again) == facts(validation)


def test_unreadable_values_count_as_of_another_type(make_contract):
    contract = make_contract("- {name: a, logicalType: integer}")
    parsed = parse_table(pa.table({"a": ["1", "x", "", "2", "y"]}), contract)
    result = expectations.validation_result(contract, measure(parsed, contract), {})["results"][0]
    assert not result["success"]
    assert result["result"]["element_count"] == 5
    assert result["result"]["unexpected_count"] == 2
    assert result["result"]["missing_count"] == 1
    assert result["result"]["partial_unexpected_list"] == ["x", "y"]


def test_the_suite_is_genuine_and_names_its_rules(orders):
    suite = expectations.build_suite(orders)
    assert isinstance(suite, gx.ExpectationSuite)
    rules = (*orders.row_rules, *orders.key_rules, *orders.table_rules, *orders.expectation_rules)
    assert [expectation.meta["rule"] for expectation in suite.expectations] == [rule.id for rule in rules]
    warnings = {e.meta["rule"] for e in suite.expectations if e.severity == "warning"}
    assert warnings == {"rows_not_three", "code.expect_column_values_to_not_match_regex"}
    json.dumps(suite.to_json_dict())


def test_mostly_is_a_share_of_the_whole_not_of_a_partition(make_contract):
    rule = custom("expect_column_values_to_be_in_set", column="a", value_set=["x"], mostly=0.75)
    contract = make_contract("- {name: a, logicalType: string}", rule)
    parts = [
        parse_table(pa.table({"a": values}), contract) for values in (["x", "x", "x", "x"], ["y", "y"], ["x", "x"])
    ]
    measured = [measure(part, contract) for part in parts]

    def success(measurements):
        outcome = judge_expectations(contract, expectations.validation_result(contract, measurements, {}))[0]
        return outcome.passed, outcome.broken

    assert success(reduce(merge, measured)) == (True, 2)
    assert success(measured[1]) == (False, 2)


def test_no_rows_at_all(make_contract):
    rule = custom("expect_column_values_to_be_in_set", column="a", value_set=["x"])
    contract = make_contract("- {name: a, logicalType: string, required: true}", rule)
    document = expectations.validation_result(contract, Measurements(), {})
    assert document["success"]


def test_threads_measure_each_their_own(make_contract):
    rule = custom("expect_column_values_to_match_regex_list", column="a", regex_list=["^x"])
    contract = make_contract("- {name: a, logicalType: string}", rule)
    parts = [parse_table(pa.table({"a": ["x"] * 10 + ["y"] * n}), contract) for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda part: expectations.measure_custom(part, contract), parts))
    name = "column_values.match_regex_list.unexpected_count"
    assert [next(iter(counts.values())).counts[name] for counts in found] == list(range(24))


def test_confidential_values_do_not_reach_the_result(make_contract):
    quality = "\n".join(
        [
            custom("expect_column_values_to_match_regex", column="a", regex="^x"),
            custom("expect_column_distinct_values_to_be_in_set", column="a", value_set=["x"]),
        ]
    )
    contract = make_contract(
        "- {name: a, logicalType: string, classification: restricted, enum: [{value: x}]}", quality
    )
    parsed = parse_table(pa.table({"a": ["x", "secret"]}), contract)
    document = json.dumps(expectations.validation_result(contract, measure(parsed, contract), {}))
    assert "***" in document
    assert "secret" not in document


def test_too_many_distinct_values_fail_with_the_reason(make_contract):
    rule = custom("expect_column_unique_value_count_to_be_between", column="a", max_value=5_000)
    contract = make_contract("- {name: a, logicalType: integer}", rule)
    parsed = parse_table(pa.table({"a": range(2_000)}), contract)
    first = measure(parsed, contract)
    result = expectations.validation_result(contract, first, {})["results"][-1]
    assert not result["success"]
    assert "more than 1000 distinct values" in result["exception_info"]["exception_message"]
    complete = look_again(contract, first, lambda _columns: [parsed])
    result = expectations.validation_result(contract, complete, {})["results"][-1]
    assert result["success"]
    assert result["result"]["observed_value"] == 2_000


def test_too_many_values_to_gather_are_a_failure_that_says_so(make_contract, monkeypatch):
    rule = custom("expect_column_median_to_be_between", column="a", max_value=5_000, severity="warning")
    contract = make_contract("- {name: a, logicalType: integer}", rule)
    parsed = parse_table(pa.table({"a": range(50)}), contract)
    monkeypatch.setattr("data_contracts.expectations.again.GATHERED_VALUES", 49)
    complete = look_again(contract, measure(parsed, contract), lambda _columns: [parsed])
    [outcome] = judge_expectations(contract, expectations.own_results(contract, complete))
    assert (outcome.passed, outcome.severity) == (False, "warning")
    assert "done for 49 at most" in outcome.observed
    assert "these are 50" in outcome.observed


def test_what_was_not_looked_at_again_does_not_pass(make_contract):
    rule = custom("expect_column_median_to_be_between", column="a", max_value=5_000)
    contract = make_contract("- {name: a, logicalType: integer}", rule)
    parsed = parse_table(pa.table({"a": range(5)}), contract)
    [outcome] = judge_expectations(contract, expectations.own_results(contract, measure(parsed, contract)))
    assert not outcome.passed
    assert outcome.observed == "its values were not gathered"


def test_dictionaries_of_texts_are_counted_as_texts(make_contract):
    names = ("expect_column_values_to_match_regex_list", "expect_column_values_to_be_in_set")
    quality = "\n".join(
        custom(name, column="a", **kwargs)
        for name, kwargs in zip(names, ({"regex_list": ["^x"]}, {"value_set": ["x", "xy"]}), strict=True)
    )
    contract = make_contract("- {name: a, logicalType: string}", quality)
    texts = parse_table(pa.table({"a": ["x", "xy", "y", None, "z", "x"]}), contract)
    words = ParsedTable(pa.table({"a": texts.table["a"].dictionary_encode()}), {})
    assert custom_counts(words, contract) == custom_counts(texts, contract)
    assert {counts.unexpected for counts in custom_counts(words, contract).values()} == {("y", "z")}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (custom("expect_column_value_to_be_between", column="a"), "there is no expectation"),
        (custom("expect_column_values_to_be_increasing", column="a"), "cannot be executed: operation 'sub' not"),
        (custom("expect_column_quantile_values_to_be_between", column="n"), "cannot be built|cannot be executed"),
        (custom("expect_column_values_to_match_like_pattern", column="a", like_pattern="x%"), "regular expression"),
        (custom("unexpected_rows_expectation", unexpected_rows_query="SELECT 1"), "asks a database"),
        (custom("expect_column_values_to_be_between", column="b", min_value=1), "no column 'b'"),
        (custom("expect_column_values_to_be_between", column="n", minValue=1), "extra fields not permitted|minValue"),
        (custom("expect_column_values_to_be_between", column="a", min_value=1), "cannot be executed"),
    ],
)
def test_what_cannot_be_executed_is_found_without_data(make_contract, rule, reason):
    contract = make_contract("- {name: a, logicalType: string}\n- {name: n, logicalType: integer}", rule)
    [(found, why)] = inexecutable_rules(contract)
    assert found == contract.expectation_rules[0]
    assert re.search(reason, why), why


def test_every_rule_of_the_full_contract_can_be_executed(orders):
    assert inexecutable_rules(orders) == []


def test_a_rule_that_cannot_be_built_is_an_error_with_its_line(make_contract):
    contract = make_contract("- {name: a, logicalType: string}", custom("expect_column_values_to_be_in_set", column=1))
    with pytest.raises(ContractError, match=r"small.odcs.yaml:11: rule table.*cannot be built"):
        expectations.build_suite(contract)


def test_a_long_set_is_cut_in_its_sentence():
    words = expectations.sentence("expect_column_values_to_be_in_set", {"column": "a", "value_set": list(range(30))})
    assert "".join(part.text for part in words).endswith(" 10 11 and 18 more.")


def test_a_metric_of_the_standard_has_a_sentence(orders):
    [found] = [
        each["kwargs"]
        for each in expectations.suite_document(orders)["expectations"]
        if each["meta"]["rule"] == "few_gaps"
    ]
    text = "".join(part.text for part in expectations.sentence("expect_contract_metric_to_hold", found))
    assert text == "nullValues of email, amount must be less than 60 percent of the rows."

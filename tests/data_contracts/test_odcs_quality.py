from __future__ import annotations

import pytest

from data_contracts.errors import ContractError

MEAN_OF_TEXT = "{type: expect_column_mean_to_be_between, kwargs: {column: a}}"
PROPERTIES = "- {name: a, logicalType: string}\n- {name: n, logicalType: integer}"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{type: sql, query: SELECT 1, mustBe: 1}", "a rule of type 'sql' cannot be executed"),
        ("{type: custom, engine: soda, implementation: x}", "engine 'soda' cannot be executed; expected greatExpecta"),
        ("{description: only words}", "needs a `metric`"),
        ("{metric: nullValues, mustBe: 0}", "which columns to look at"),
        ("{metric: nullValues, mustBe: 0, arguments: {properties: [b]}}", "no column 'b'"),
        ("{metric: nullValues, mustBe: 0, arguments: {property: [a]}}", "no argument 'property'; did you mean 'prope"),
        ("{metric: rowCount, mustBe: many}", "rowCount.mustBe: expected a number, got 'many'"),
        ("{metric: rowCount, mustBe: true}", "expected a number, got True"),
        ("{metric: rowCount, mustBeBetween: [5, 1]}", "expected the smaller number first"),
        ("{metric: rowCount, mustBe: 1, unit: percent}", "counted in rows, not percent"),
        ("{metric: rowCount, mustBe: 1, unit: days}", "unit: expected rows or percent, got 'days'"),
        ("{metric: rowCount, mustBe: 1, severity: dire}", "severity: expected one of error"),
        ("{metric: invalidValues, mustBe: 0, arguments: {properties: [a]}}", "say what is valid"),
        ("{metric: invalidValues, mustBe: 0, arguments: {properties: [n], pattern: x}}", "a pattern needs text; n is"),
        ("{metric: invalidValues, mustBe: 0, arguments: {properties: [a], pattern: '('}}", "cannot be executed"),
        ("{metric: invalidValues, mustBe: 0, arguments: {properties: [n], validValues: [x]}}", "'x' is not a integer"),
        ("{metric: missingValues, mustBe: 0, arguments: {properties: [n], missingValues: 3}}", "expected a list"),
        ("{type: custom, engine: greatExpectations, implementation: 'type: [x'}", "not valid YAML or JSON"),
        ("{type: custom, engine: greatExpectations, implementation: '[1]'}", "expected a mapping, got list"),
        ("{type: custom, engine: greatExpectations, implementation: {kwargs: {}}}", "expected `type: expect_"),
        ("{type: custom, engine: greatExpectations, implementation: {typ: x}}", "unknown key 'typ'"),
        (f"{{type: custom, engine: greatExpectations, implementation: {MEAN_OF_TEXT}}}", "needs numbers; a is string"),
    ],
)
def test_a_rule_that_cannot_be_executed_is_an_error_with_its_line(make_contract, rule, message):
    with pytest.raises(ContractError, match=message) as caught:
        make_contract(PROPERTIES, f"- {rule}")
    assert "small.odcs.yaml:12: " in str(caught.value)


def test_text_is_documentation(make_contract):
    contract = make_contract(PROPERTIES, "- {type: text, description: people read this}")
    assert not contract.table_rules


def test_every_operator_compiles(make_contract):
    operators = ["mustBe: 1", "mustNotBe: 1", "mustBeGreaterThan: 1", "mustBeGreaterOrEqualTo: 1", "mustBeLessThan: 1",
                 "mustBeLessOrEqualTo: 1", "mustBeBetween: [1, 2]", "mustNotBeBetween: [1, 2]"]  # fmt: skip
    contract = make_contract(PROPERTIES, "\n".join(f"- {{metric: rowCount, {operator}}}" for operator in operators))
    assert [rule.operator for rule in contract.table_rules] == [operator.split(":")[0] for operator in operators]
    assert [rule.id for rule in contract.table_rules[:3]] == ["table.rowCount", "table.rowCount.2", "table.rowCount.3"]
    assert contract.table_rules[-1].bound == (1, 2)


def test_duplicates_of_the_whole_table_are_over_all_columns(make_contract):
    rule = make_contract(PROPERTIES, "- {metric: duplicateValues, mustBe: 0}").table_rules[0]
    assert rule.columns == ("a", "n")


def test_an_expectation_under_a_column_is_about_that_column(make_contract):
    quality = "{type: custom, engine: greatExpectations, implementation: {type: expect_column_values_to_not_be_null}}"
    contract = make_contract(f"- name: a\n  logicalType: string\n  quality: [{quality}]")
    rule = contract.expectation_rules[0]
    assert (rule.id, rule.kwargs) == ("a.expect_column_values_to_not_be_null", {"column": "a"})

"""Which Great Expectations expectation stands for each rule of a contract; nothing here imports that library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from data_contracts.contract import Column, Contract, ExpectationRule, KeyRule, RowRule, TableRule
from data_contracts.formats import STRING_FORMATS, number_range
from data_contracts.scalars import arrow_value

Rule = RowRule | KeyRule | TableRule | ExpectationRule

# Expectations that are judged from merged statistics of a column, and the statistic that each needs.
AGGREGATES: Mapping[str, str] = {
    "expect_column_min_to_be_between": "extremes",
    "expect_column_max_to_be_between": "extremes",
    "expect_column_mean_to_be_between": "moments",
    "expect_column_sum_to_be_between": "moments",
    "expect_column_stdev_to_be_between": "moments",
    "expect_column_distinct_values_to_be_in_set": "distinct",
    "expect_column_distinct_values_to_contain_set": "distinct",
    "expect_column_distinct_values_to_equal_set": "distinct",
    "expect_column_unique_value_count_to_be_between": "distinct",
    "expect_column_proportion_of_non_null_values_to_be_between": "nulls",
    "expect_column_to_exist": "none",
    "expect_table_row_count_to_be_between": "none",
    "expect_table_row_count_to_equal": "none",
    "expect_table_column_count_to_be_between": "none",
    "expect_table_column_count_to_equal": "none",
    "expect_table_columns_to_match_set": "none",
    "expect_table_columns_to_match_ordered_list": "none",
}
# Its scores are taken with the mean and deviation of all rows.
SCORES = "expect_column_value_z_scores_to_be_less_than"

_TYPE_NAMES: Mapping[str, tuple[str, ...]] = {
    "string": ("str",),
    "integer": ("int", "int64"),
    "number": ("float", "float64", "int", "int64"),
    "boolean": ("bool", "bool_"),
    "date": ("date", "datetime"),
    "timestamp": ("Timestamp", "datetime"),
}
_BETWEEN = "expect_column_values_to_be_between"
_LENGTHS = "expect_column_value_lengths_to_be_between"
# For each kind of row rule: the expectation, and which of its arguments take the rule's own argument.
_ROW_EXPECTATIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "type": ("expect_column_values_to_be_in_type_list", ()),
    "required": ("expect_column_values_to_not_be_null", ()),
    "enum": ("expect_column_values_to_be_in_set", ("value_set",)),
    "minimum": (_BETWEEN, ("min_value",)),
    "maximum": (_BETWEEN, ("max_value",)),
    "exclusive_minimum": (_BETWEEN, ("min_value",)),
    "exclusive_maximum": (_BETWEEN, ("max_value",)),
    "multiple_of": ("expect_column_values_to_be_multiples_of", ("factor",)),
    "pattern": ("expect_column_values_to_match_regex", ("regex",)),
    "min_length": (_LENGTHS, ("min_value",)),
    "max_length": (_LENGTHS, ("max_value",)),
}
_ROW_COUNT_BOUNDS: Mapping[str, tuple[str, ...]] = {
    "mustBeGreaterThan": ("min_value", "strict_min"),
    "mustBeGreaterOrEqualTo": ("min_value",),
    "mustBeLessThan": ("max_value", "strict_max"),
    "mustBeLessOrEqualTo": ("max_value",),
}


@dataclass(frozen=True)
class PlannedExpectation:
    """One expectation: its registered type and arguments, and the rule that it stands for."""

    rule: Rule
    type: str
    kwargs: Mapping[str, Any]

    @property
    def severity(self) -> str:
        """The library's word for the rule's severity; row and key rules are errors."""
        return "warning" if getattr(self.rule, "severity", "error") == "warning" else "critical"


def plan_expectations(contract: Contract) -> Iterator[PlannedExpectation]:
    """Yield the expectation of every rule: row rules, key rules, table rules, then those written in the contract."""
    for row_rule in contract.row_rules:
        yield _plan_row_rule(row_rule, contract.column(row_rule.column))
    for key_rule in contract.key_rules:
        if len(key_rule.columns) == 1:
            yield PlannedExpectation(key_rule, "expect_column_values_to_be_unique", {"column": key_rule.columns[0]})
        else:
            kwargs = {"column_list": list(key_rule.columns), "ignore_row_if": "any_value_is_missing"}
            yield PlannedExpectation(key_rule, "expect_compound_columns_to_be_unique", kwargs)
    for table_rule in contract.table_rules:
        yield _plan_table_rule(table_rule)
    for rule in contract.expectation_rules:
        yield plan_expectation(rule, contract)


def plan_expectation(rule: ExpectationRule, contract: Contract) -> PlannedExpectation:
    """Plan an expectation written in the contract; its bounds of dates and timestamps become full instants.

    The library takes a text such as `2013-01-31` for a date, which it then cannot compare with an instant.
    """
    kwargs = dict(rule.kwargs)
    column = next((column for column in contract.columns if column.name == kwargs.get("column")), None)
    if column is not None and column.logical_type in {"date", "timestamp"}:
        # The bounds of a count or a share are numbers, whatever the column holds.
        for bound in (key for key in ("min_value", "max_value") if isinstance(kwargs.get(key), str)):
            kwargs[bound] = _instant_text(kwargs[bound], column)
    return PlannedExpectation(rule, rule.type, kwargs)


def named_columns(kwargs: Mapping[str, Any], contract: Contract) -> list[str]:
    """Return the columns that an expectation's arguments name, its condition included, in the contract's order."""
    listed = {kwargs.get(key) for key in ("column", "column_A", "column_B")}
    listed |= {*kwargs.get("column_list", ()), *kwargs.get("columns", ())}
    # A condition is a text of code or a nested mapping; a column that only seems to stand in it does no harm.
    condition = str(kwargs.get("row_condition") or "")
    return [column.name for column in contract.columns if column.name in listed or column.name in condition]


def referenced_columns(rule: ExpectationRule, contract: Contract) -> list[str]:
    """Return the columns that an expectation looks at; one of them if it only counts rows."""
    return named_columns(rule.kwargs, contract) or [contract.columns[0].name]


def statistics_needed(contract: Contract) -> dict[str, set[str]]:
    """Return the statistics (values of `AGGREGATES`) that the contract's own expectations need of each column."""
    needed: dict[str, set[str]] = {}
    for rule in contract.expectation_rules:
        column, statistic = rule.kwargs.get("column"), {**AGGREGATES, SCORES: "moments"}.get(rule.type)
        if statistic is not None and isinstance(column, str) and not rule.kwargs.get("row_condition"):
            needed.setdefault(column, set()).add(statistic)
    return needed


def _plan_row_rule(rule: RowRule, column: Column) -> PlannedExpectation:
    if rule.kind == "format":
        name, kwargs = _plan_format(rule, column)
    else:
        name, keys = _ROW_EXPECTATIONS[rule.kind]
        argument = rule.argument
        if column.logical_type in {"date", "timestamp"} and name == _BETWEEN:
            # Frames that the library sees hold instants in UTC without saying so, as its own bounds are written.
            argument = _instant_text(argument, column)
        kwargs = dict.fromkeys(keys, argument)
    if rule.kind == "type":
        kwargs["type_list"] = list(_TYPE_NAMES[column.logical_type])
    if rule.kind == "enum":
        kwargs["value_set"] = list(rule.argument)
    if rule.kind.startswith("exclusive"):
        kwargs["strict_min" if rule.kind == "exclusive_minimum" else "strict_max"] = True
    return PlannedExpectation(rule, name, {"column": rule.column, **kwargs})


def _instant_text(value: Any, column: Column) -> str:
    return str(arrow_value(value, column).cast(pa.timestamp("us")).as_py().isoformat())


def _plan_format(rule: RowRule, column: Column) -> tuple[str, dict[str, Any]]:
    if column.logical_type == "string":
        return "expect_column_values_to_match_regex", {"regex": STRING_FORMATS[rule.argument]}
    least, greatest = number_range(rule.argument)
    return _BETWEEN, {"min_value": least, "max_value": greatest}


def _plan_table_rule(rule: TableRule) -> PlannedExpectation:
    # The library's own expectations stand where they say exactly the same; its `mostly` is a rounded share, so a
    # bound in percent would be judged a little differently at its edge.
    none_allowed = rule.operator in {"mustBe", "mustBeLessOrEqualTo"} and rule.bound == 0
    if rule.metric == "rowCount" and (planned := _plan_row_count(rule)) is not None:
        return planned
    if rule.metric == "nullValues" and none_allowed and len(rule.columns) == 1:
        return PlannedExpectation(rule, "expect_column_values_to_not_be_null", {"column": rule.columns[0]})
    kwargs = {
        "metric": rule.metric,
        "columns": list(rule.columns),
        "arguments": dict(rule.arguments),
        "unit": rule.unit,
        "operator": rule.operator,
        "bound": list(rule.bound) if isinstance(rule.bound, tuple) else rule.bound,
    }
    return PlannedExpectation(rule, "expect_contract_metric_to_hold", kwargs)


def _plan_row_count(rule: TableRule) -> PlannedExpectation | None:
    bounds = rule.bound if isinstance(rule.bound, tuple) else (rule.bound,)
    if not all(isinstance(bound, int) for bound in bounds):
        return None
    if rule.operator == "mustBe":
        return PlannedExpectation(rule, "expect_table_row_count_to_equal", {"value": rule.bound})
    if rule.operator == "mustBeBetween":
        kwargs = {"min_value": bounds[0], "max_value": bounds[1]}
    elif rule.operator in _ROW_COUNT_BOUNDS:
        key, *strict = _ROW_COUNT_BOUNDS[rule.operator]
        kwargs = {key: rule.bound, **dict.fromkeys(strict, True)}
    else:
        return None
    return PlannedExpectation(rule, "expect_table_row_count_to_be_between", kwargs)

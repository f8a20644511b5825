"""Judging a dataset by its contract from merged measurements."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from data_contracts.contract import Contract, ExpectationRule, KeyRule, Operator, RowRule, TableRule
from data_contracts.measurements import Measurements
from data_contracts.row_rules import is_secret

_SHOWN = 8
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "mustBe": operator.eq,
    "mustNotBe": operator.ne,
    "mustBeGreaterThan": operator.gt,
    "mustBeGreaterOrEqualTo": operator.ge,
    "mustBeLessThan": operator.lt,
    "mustBeLessOrEqualTo": operator.le,
}


class RuleOutcome(BaseModel):
    """What one rule of a contract came to over the whole dataset.

    Attributes:
        id: The rule's id.
        kind: The row rule's kind, `unique`, the table rule's metric, or the expectation's type.
        columns: The columns it looks at; none for the whole table.
        passed: The rule holds.
        broken: Rows that break it, where rows are counted (`rowCount` and statistics break none).
        observed: The compared value, where the rule compares one.
        expected: What the rule asks for, in words.
        examples: At most five values that break it, as text.
        line: Its line in the contract.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: str
    columns: tuple[str, ...]
    passed: bool
    broken: int
    observed: int | float | str | None = None
    expected: str
    severity: Literal["error", "warning"] = "error"
    examples: tuple[str, ...] = ()
    line: int | None = None


def judge(contract: Contract, measurements: Measurements, duplicates: Mapping[str, int]) -> tuple[RuleOutcome, ...]:
    """Judge every row, key and table rule.

    Args:
        contract: The rules.
        measurements: Of all rows.
        duplicates: For every key rule and every `duplicateValues` rule, by id: rows beyond the first of each key.
            A row with a null in one of the key's columns has no key and is no duplicate.
    """
    return (
        *(_judge_row_rule(rule, contract, measurements) for rule in contract.row_rules),
        *(_judge_key_rule(rule, duplicates) for rule in contract.key_rules),
        *(_judge_table_rule(rule, measurements, duplicates) for rule in contract.table_rules),
    )


def judge_expectations(contract: Contract, validation: Mapping[str, Any]) -> tuple[RuleOutcome, ...]:
    """Return the outcome of every expectation written in the contract.

    Args:
        contract: The rules.
        validation: What `expectations.own_results` or `expectations.validation_result` returned.
    """
    results = {result["expectation_config"]["meta"]["rule"]: result for result in validation["results"]}
    outcomes = []
    for rule in contract.expectation_rules:
        result = results[rule.id]
        details = result["result"]
        names = (rule.kwargs.get(key) for key in ("column", "column_A", "column_B"))
        outcomes.append(
            RuleOutcome(
                id=rule.id,
                kind=rule.type,
                columns=tuple(str(name) for name in names if name is not None),
                passed=result["success"],
                broken=details.get("unexpected_count") or 0,
                observed=_observed(details.get("observed_value") or _failure(result)),
                expected=_asked(rule, result),
                severity=rule.severity,
                examples=tuple(str(value) for value in details.get("partial_unexpected_list", ())[:5]),
                line=rule.line,
            )
        )
    return tuple(outcomes)


def table_value(rule: TableRule, measurements: Measurements, duplicates: Mapping[str, int]) -> int | float:
    """Return the value of a table rule's metric in the rule's unit; no rows have 0 percent of anything."""
    if rule.metric == "rowCount":
        return measurements.rows
    count = duplicates[rule.id] if rule.metric == "duplicateValues" else measurements.table.get(rule.id, 0)
    if rule.unit == "percent":
        return 100.0 * count / measurements.rows if measurements.rows else 0.0
    return count


def holds(comparison: Operator, value: float, bound: Any) -> bool:
    """Compare a value with a bound, by the standard's operators; between includes both ends."""
    if comparison in _COMPARISONS:
        return bool(_COMPARISONS[comparison](value, bound))
    between = bool(bound[0] <= value <= bound[1])
    return between if comparison == "mustBeBetween" else not between


def _judge_row_rule(rule: RowRule, contract: Contract, measurements: Measurements) -> RuleOutcome:
    broken = measurements.broken.get(rule.id, 0)
    return RuleOutcome(
        id=rule.id,
        kind=rule.kind,
        columns=(rule.column,),
        passed=broken == 0,
        broken=broken,
        expected=_expected(rule, contract),
        examples=measurements.examples.get(rule.id, ()),
        line=rule.line,
    )


def _judge_key_rule(rule: KeyRule, duplicates: Mapping[str, int]) -> RuleOutcome:
    return RuleOutcome(
        id=rule.id,
        kind="unique",
        columns=rule.columns,
        passed=duplicates[rule.id] == 0,
        broken=duplicates[rule.id],
        expected="no two rows with the same " + ", ".join(rule.columns),
        line=rule.line,
    )


def _judge_table_rule(rule: TableRule, measurements: Measurements, duplicates: Mapping[str, int]) -> RuleOutcome:
    value = table_value(rule, measurements, duplicates)
    passed = holds(rule.operator, value, rule.bound)
    rows = duplicates[rule.id] if rule.metric == "duplicateValues" else measurements.table.get(rule.id, 0)
    bound = f"{rule.bound[0]} and {rule.bound[1]}" if isinstance(rule.bound, Sequence) else rule.bound
    return RuleOutcome(
        id=rule.id,
        kind=rule.metric,
        columns=rule.columns,
        passed=passed,
        broken=rows,
        observed=value,
        expected=f"{rule.metric} {rule.operator} {bound} {rule.unit}",
        severity=rule.severity,
        line=rule.line,
    )


def _expected(rule: RowRule, contract: Contract) -> str:
    if rule.kind == "enum" and is_secret(contract.column(rule.column)):
        return f"one of {len(rule.argument)} values that are not shown"
    if rule.kind == "enum":
        shown = ", ".join(str(value) for value in rule.argument[:_SHOWN])
        return f"one of {shown}" + (f" and {len(rule.argument) - _SHOWN} more" if len(rule.argument) > _SHOWN else "")
    if rule.kind == "required":
        return "a value"
    if rule.kind == "type":
        return f"readable as {contract.column(rule.column).logical_type}"
    return f"{rule.kind.replace('_', ' ')} {rule.argument}"


def _asked(rule: ExpectationRule, result: Mapping[str, Any]) -> str:
    # The result's arguments are the rule's, masked where the contract classifies a column.
    shown = result["expectation_config"]["kwargs"]
    return ", ".join(f"{key} {shown.get(key, value)}" for key, value in rule.kwargs.items() if key != "column")


def _failure(result: Mapping[str, Any]) -> str | None:
    """Say why an expectation could not be judged, where it could not."""
    return result["exception_info"].get("exception_message") or None


def _observed(value: Any) -> int | float | str | None:
    return value if value is None or isinstance(value, int | float) else str(value)

"""Judging the common expectations from merged measurements without Great Expectations, which takes seconds to import.

Validation has to know whether an expectation holds; the genuine result documents are made beside it, by the library
(`data_contracts.expectations`). The arithmetic here is the library's own, for arguments that leave no doubt; all others
are left to it. A property test holds the outcomes of both ways against each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.expectation_metrics import left_out, metric_value
from data_contracts.expectation_plan import PlannedExpectation
from data_contracts.expectation_rows import METRICS, NON_NULL, has_row_form
from data_contracts.masking import hides, masked_kwargs, masked_result
from data_contracts.measurements import Measurements

_BETWEEN: Mapping[str, str] = {
    "expect_column_min_to_be_between": "column.min",
    "expect_column_max_to_be_between": "column.max",
    "expect_column_mean_to_be_between": "column.mean",
    "expect_column_sum_to_be_between": "column.sum",
    "expect_column_stdev_to_be_between": "column.standard_deviation",
    "expect_table_row_count_to_be_between": "table.row_count",
}
_DISTINCT: Mapping[str, tuple[str, ...]] = {
    "expect_column_distinct_values_to_be_in_set": ("not_in_set",),
    "expect_column_distinct_values_to_contain_set": ("missing_from_column",),
    "expect_column_distinct_values_to_equal_set": ("not_in_set", "missing_from_column"),
}
_BOUNDS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})
# What each expectation about rows takes, beside `column` and `mostly`.
_TAKES: Mapping[str, frozenset[str]] = {
    "column_values.between": _BOUNDS,
    "column_values.in_set": frozenset({"value_set"}),
    "column_values.not_in_set": frozenset({"value_set"}),
    "column_values.value_length.between": _BOUNDS,
    "column_values.value_length.equals": frozenset({"value"}),
    "column_values.match_regex": frozenset({"regex"}),
    "column_values.not_match_regex": frozenset({"regex"}),
}
# So many of the values that are in the way the library names, at most.
_NAMED = 20


def judged_without_library(contract: Contract, measurements: Measurements) -> list[dict[str, Any]]:
    """Judge those of the contract's own expectations that need no library.

    Args:
        contract: The rules.
        measurements: Of all rows.

    Returns:
        Results as `data_contracts.expectations.own_results` lists them, with what `judge.judge_expectations` reads.
    """
    found = []
    for rule in contract.expectation_rules:
        result = _judged(rule, contract, measurements)
        if result is None:
            continue
        kwargs = dict(rule.kwargs)
        if hides(kwargs, contract):
            kwargs, result["result"] = masked_kwargs(kwargs), masked_result(rule.type, result["result"])
        config = {"type": rule.type, "kwargs": kwargs, "meta": {"rule": rule.id}}
        found.append({**result, "expectation_config": config, "exception_info": {}})
    return found


def _judged(rule: ExpectationRule, contract: Contract, measurements: Measurements) -> dict[str, Any] | None:
    planned = PlannedExpectation(rule, rule.type, rule.kwargs)
    if rule.id in measurements.gathered or left_out(planned, measurements) or not _has_flags(rule.kwargs):
        return None
    if has_row_form(rule, contract):
        return _of_rows(planned, contract, measurements) if _is_share(rule) else None
    if rule.type in _BETWEEN and _is_number(rule, contract):
        return _of_value(metric_value(_BETWEEN[rule.type], planned, contract, measurements, {}), rule.kwargs)
    if rule.type in _DISTINCT and _is_set(rule, contract):
        return _of_distinct(planned, contract, measurements)
    return None


def _has_flags(kwargs: Mapping[str, Any]) -> bool:
    return all(isinstance(kwargs[key], bool) for key in ("strict_min", "strict_max") if key in kwargs)


def _is_share(rule: ExpectationRule) -> bool:
    """Tell whether an expectation about rows has arguments that it takes, and a share that is one."""
    mostly = rule.kwargs.get("mostly", 1)
    takes = _TAKES.get(METRICS[rule.type], frozenset()) | {"column", "mostly"}
    share = isinstance(mostly, int | float) and not isinstance(mostly, bool) and 0 <= mostly <= 1
    return share and rule.kwargs.keys() <= takes


def _is_number(rule: ExpectationRule, contract: Contract) -> bool:
    """Tell whether a number is held against bounds that are finite numbers in order."""
    of_table = rule.type.startswith("expect_table_")
    if not rule.kwargs.keys() <= (_BOUNDS if of_table else _BOUNDS | {"column"}):
        return False
    if not of_table and _type(rule, contract) not in {"integer", "number"}:
        return False
    kinds = int if of_table else (int, float)
    bounds = [rule.kwargs[key] for key in ("min_value", "max_value") if key in rule.kwargs]
    plain = all(isinstance(each, kinds) and not isinstance(each, bool) and abs(each) < 2**53 for each in bounds)
    return bool(bounds) and plain and bounds == sorted(bounds)


def _is_set(rule: ExpectationRule, contract: Contract) -> bool:
    """Tell whether texts are held against a set of texts."""
    values = rule.kwargs.get("value_set")
    texts = isinstance(values, list) and bool(values) and all(isinstance(value, str) for value in values)
    return texts and _type(rule, contract) == "string" and rule.kwargs.keys() <= {"column", "value_set"}


def _type(rule: ExpectationRule, contract: Contract) -> str | None:
    named = (column.logical_type for column in contract.columns if column.name == rule.kwargs.get("column"))
    return next(named, None)


def _of_rows(planned: PlannedExpectation, contract: Contract, measurements: Measurements) -> dict[str, Any]:
    metric = METRICS[planned.type]

    def value(name: str) -> Any:
        return metric_value(name, planned, contract, measurements, {})

    rows, unexpected = value("table.row_count"), value(f"{metric}.unexpected_count")
    # The two expectations about nulls look at every row.
    asked = rows if metric in {NON_NULL, "column_values.null"} else rows - value(f"{NON_NULL}.unexpected_count")
    share = (float(asked) - float(unexpected)) / float(asked) if asked else 1.0
    examples = value(f"{metric}.unexpected_values")
    success = share >= planned.kwargs.get("mostly", 1)
    return {"success": success, "result": {"unexpected_count": unexpected, "partial_unexpected_list": examples}}


def _of_value(value: float | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    if value is None or math.isnan(value):
        return {"success": False, "result": {"observed_value": None}}
    least, most = kwargs.get("min_value", -math.inf), kwargs.get("max_value", math.inf)
    above = value > least if kwargs.get("strict_min") and "min_value" in kwargs else value >= least
    below = value < most if kwargs.get("strict_max") and "max_value" in kwargs else value <= most
    observed = value if math.isfinite(value) else str(value)
    return {"success": above and below, "result": {"observed_value": observed}}


def _of_distinct(planned: PlannedExpectation, contract: Contract, measurements: Measurements) -> dict[str, Any]:
    success, result = True, dict[str, Any]()
    for what in _DISTINCT[planned.type]:
        values = metric_value(f"column.distinct_values.{what}", planned, contract, measurements, {})
        success &= not values
        if what == "not_in_set":
            result = {"unexpected_count": len(values), "partial_unexpected_list": values[:_NAMED]}
    return {"success": success, "result": result}

"""Keeping values of classified columns out of what Great Expectations writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from data_contracts.contract import Contract
from data_contracts.expectation_plan import named_columns
from data_contracts.row_rules import MASK, is_secret

# What these observe is a figure about the column, not a value of it.
_FIGURES = frozenset(
    {
        "expect_column_kl_divergence_to_be_less_than",
        "expect_column_mean_to_be_between",
        "expect_column_proportion_of_non_null_values_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_stdev_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_type_to_be",
        "expect_column_unique_value_count_to_be_between",
        "expect_column_values_to_be_in_type_list",
        "expect_column_values_to_be_of_type",
        "expect_contract_metric_to_hold",
    }
)
_LISTED = ("partition_object", "value_pairs_set", "value_set")
_LISTED_IN_ARGUMENTS = ("missingValues", "validValues")


def hides(kwargs: Mapping[str, Any], contract: Contract) -> bool:
    """Tell whether an expectation looks at a column whose values must not be shown."""
    secret = {column.name for column in contract.columns if is_secret(column)}
    return not secret.isdisjoint(named_columns(kwargs, contract))


def masked_kwargs(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with the values that they list masked; bounds and patterns are rules and stay."""
    found = dict(kwargs)
    found |= {key: _mask_all(found[key]) for key in _LISTED if found.get(key) is not None}
    if isinstance(arguments := found.get("arguments"), Mapping):
        listed = {key: _mask_all(arguments[key]) for key in _LISTED_IN_ARGUMENTS if key in arguments}
        found["arguments"] = {**arguments, **listed}
    return found


def masked_result(kind: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of an expectation without any value of its column.

    Args:
        kind: The expectation's registered type.
        result: The library's `result`, of any result format.
    """
    found = {key: value for key, value in result.items() if key != "details"}
    found |= {key: [MASK] * len(value) for key, value in found.items() if key.startswith("partial_unexpected_")}
    if found.get("observed_value") is not None and kind not in _FIGURES:
        found["observed_value"] = _mask_all(found["observed_value"])
    return found


def _mask_all(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict.fromkeys(value, MASK)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [MASK for _ in value]
    return MASK

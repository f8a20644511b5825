"""Which expectations can be executed partition by partition, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.expectation_plan import AGGREGATES
from data_contracts.yaml_lines import nearest

# Whether a row is unexpected depends on that row alone, so counts over partitions add up.
_ROW_METRICS = frozenset(
    {
        "column_pair_values.a_greater_than_b",
        "column_pair_values.equal",
        "column_pair_values.in_set",
        "column_values.between",
        "column_values.dateutil_parseable",
        "column_values.in_set",
        "column_values.json_parseable",
        "column_values.match_json_schema",
        "column_values.match_regex",
        "column_values.match_regex_list",
        "column_values.match_strftime_format",
        "column_values.multiples_of",
        "column_values.nonnull",
        "column_values.not_in_set",
        "column_values.not_match_regex",
        "column_values.not_match_regex_list",
        "column_values.null",
        "column_values.value_length.between",
        "column_values.value_length.equals",
        "multicolumn_sum.equal",
        "multicolumn_values.equal",
        "select_column_values.unique.within_record",
    }
)


_AT_ONCE = "needs all rows at once, and data is checked partition by partition"


def why_not(rule: ExpectationRule, contract: Contract, known: Iterable[str], map_metric: str | None) -> str | None:
    """Say why an expectation cannot be executed, from its words alone; None where nothing speaks against it.

    Args:
        rule: The expectation.
        contract: Its contract.
        known: The names of all expectations that the library has.
        map_metric: The library's name of the metric that looks at single rows, where the expectation has one.
    """
    names = [column.name for column in contract.columns]
    if rule.type not in set(known):
        return f"there is no expectation {rule.type}{_hint(rule.type, known)}"
    if rule.type not in AGGREGATES and map_metric not in _ROW_METRICS:
        return f"{rule.type} {_AT_ONCE}"
    if rule.type in AGGREGATES and rule.kwargs.get("row_condition"):
        return f"{rule.type} with row_condition {_AT_ONCE}"
    listed = [rule.kwargs.get(key) for key in ("column", "column_A", "column_B")]
    for name in [*listed, *rule.kwargs.get("column_list", ())]:
        if name is not None and name not in names and rule.type != "expect_column_to_exist":
            return f"the contract has no column {name!r}{_hint(str(name), names)}"
    return None


def _hint(word: str, known: Iterable[str]) -> str:
    like = nearest(word, known)
    return f"; did you mean {like}?" if like else ""

"""How each expectation of a contract is executed over data that comes in partitions, and why some cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.expectation_plan import AGGREGATES, SCORES
from data_contracts.expectation_rows import has_row_form
from data_contracts.yaml_lines import nearest

# Values (rows times columns looked at) that are gathered in one frame for one expectation, at most.
GATHERED_VALUES = 50_000_000
IN_ORDER = frozenset({"expect_column_values_to_be_increasing", "expect_column_values_to_be_decreasing"})

# Whether a row is unexpected depends on that row alone, so counts over partitions add up.
_BY_ROW = frozenset(
    {
        "expect_column_pair_values_a_to_be_greater_than_b",
        "expect_column_pair_values_to_be_equal",
        "expect_column_pair_values_to_be_in_set",
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_dateutil_parseable",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_json_parseable",
        "expect_column_values_to_be_multiples_of",
        "expect_column_values_to_be_null",
        "expect_column_values_to_match_json_schema",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_match_regex_list",
        "expect_column_values_to_match_strftime_format",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_not_match_regex",
        "expect_column_values_to_not_match_regex_list",
        "expect_multicolumn_sum_to_equal",
        "expect_multicolumn_values_to_be_equal",
        "expect_select_column_values_to_be_unique_within_record",
    }
)
_LIKE = "the library matches SQL patterns in databases only; say it as a regular expression"
_DATABASE = "asks a database with a query of its own, and data here stands in files"
_REFUSED: Mapping[str, str] = {
    "expect_column_values_to_match_like_pattern": _LIKE,
    "expect_column_values_to_match_like_pattern_list": _LIKE,
    "expect_column_values_to_not_match_like_pattern": _LIKE,
    "expect_column_values_to_not_match_like_pattern_list": _LIKE,
    "expect_query_results_to_match_comparison": _DATABASE,
    "expect_table_row_count_to_equal_other_table": "compares with a second table, and a contract is about one",
    "unexpected_rows_expectation": _DATABASE,
}


class Mode(StrEnum):
    """The ways to execute an expectation; the words are what `headrace check` prints."""

    FAST = "fast"
    PARTITION = "per partition"
    GATHERED = "gathered"


@dataclass(frozen=True)
class Execution:
    """How an expectation is executed.

    Attributes:
        mode: The way.
        again: The rows are read a second time for it, after everything else was measured.
        why: The reason, in words.
    """

    mode: Mode
    again: bool
    why: str


def execution(rule: ExpectationRule, contract: Contract) -> Execution:
    """Say how an expectation of the contract is executed."""
    if not rule.kwargs.get("row_condition"):
        if rule.type in AGGREGATES:
            return Execution(Mode.FAST, again=False, why="judged from merged statistics")
        if has_row_form(rule, contract):
            return Execution(Mode.FAST, again=False, why="counted by the pass that checks the contract's own rules")
        if rule.type in IN_ORDER:
            why = "read again in order, each partition with the last value before it"
            return Execution(Mode.PARTITION, again=True, why=why)
        if rule.type == SCORES:
            return Execution(Mode.PARTITION, again=True, why="read again once mean and deviation are known")
    if rule.type in _BY_ROW:
        return Execution(Mode.PARTITION, again=False, why="Great Expectations counts rows in every partition")
    why = f"Great Expectations judges the values at once, up to {GATHERED_VALUES:,} (rows times columns)"
    return Execution(Mode.GATHERED, again=True, why=why)


def how_executed(contract: Contract) -> list[tuple[ExpectationRule, Mode, str]]:
    """Say how every expectation that is written in the contract is executed, and why so; loads no library."""
    return [(rule, (how := execution(rule, contract)).mode, how.why) for rule in contract.expectation_rules]


def why_not(rule: ExpectationRule, contract: Contract, known: Iterable[str]) -> str | None:
    """Say why an expectation cannot be executed, from its words alone; None where nothing speaks against it.

    Args:
        rule: The expectation.
        contract: Its contract.
        known: The names of all expectations that the library has.
    """
    names = [column.name for column in contract.columns]
    if rule.type not in set(known):
        return f"there is no expectation {rule.type}{_hint(rule.type, known)}"
    if rule.type in _REFUSED:
        return f"{rule.type} cannot be executed: {_REFUSED[rule.type]}"
    listed = [rule.kwargs.get(key) for key in ("column", "column_A", "column_B")]
    for name in [*listed, *rule.kwargs.get("column_list", ())]:
        if name is not None and name not in names and rule.type != "expect_column_to_exist":
            return f"the contract has no column {name!r}{_hint(str(name), names)}"
    return None


def _hint(word: str, known: Iterable[str]) -> str:
    like = nearest(word, known)
    return f"; did you mean {like}?" if like else ""

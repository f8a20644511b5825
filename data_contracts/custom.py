"""The contract's own expectations about rows: counted with everything else, or in a second look where they need it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.executability import Mode, execution
from data_contracts.expectation_judge import judged_without_library
from data_contracts.expectation_metrics import left_out
from data_contracts.expectation_plan import plan_expectation, referenced_columns
from data_contracts.expectation_rows import count_rows, has_row_form
from data_contracts.measurements import CustomCounts, Measurements
from data_contracts.parsing import ParsedTable


def custom_counts(parsed: ParsedTable, contract: Contract) -> Mapping[str, CustomCounts]:
    """Count what the row-level expectations of a contract need in one partition, by rule; most contracts have none."""
    counts = {
        rule.id: count_rows(rule, parsed, contract)
        for rule in contract.expectation_rules
        if has_row_form(rule, contract)
    }
    waits = [execution(rule, contract) for rule in contract.expectation_rules]
    if not any(how.mode is Mode.PARTITION and not how.again for how in waits):
        return counts
    # Importing Great Expectations takes seconds, so only contracts that need it to look at rows pay for it.
    from data_contracts.expectations import measure_custom  # noqa: PLC0415

    return {**counts, **measure_custom(parsed, contract)}


def waiting_rules(contract: Contract, measurements: Measurements) -> list[ExpectationRule]:
    """Return the expectations that need a second look at the rows."""
    return [
        rule
        for rule in contract.expectation_rules
        if execution(rule, contract).again or left_out(plan_expectation(rule, contract), measurements)
    ]


def look_again(
    contract: Contract, measurements: Measurements, read: Callable[[Sequence[str]], Iterable[ParsedTable]]
) -> Measurements:
    """Complete merged measurements for the expectations that need a second look; most contracts have none.

    Args:
        contract: The rules.
        measurements: Of all rows.
        read: Called once at most, with the names of columns; gives them of all rows, in order.

    Raises:
        ContractError: An expectation cannot be executed on the data.
    """
    rules = waiting_rules(contract, measurements)
    if not rules:
        return measurements
    from data_contracts import expectations  # noqa: PLC0415

    wanted = {name for rule in rules for name in referenced_columns(rule, contract)}
    columns = [column.name for column in contract.columns if column.name in wanted]
    return expectations.look_again(contract, measurements, rules, read(columns))


def own_results(contract: Contract, measurements: Measurements) -> list[dict[str, Any]]:
    """Judge every expectation that is written in the contract; most need no library for it.

    Args:
        contract: The rules.
        measurements: Of all rows, completed by `look_again`.

    Returns:
        The results, as `judge.judge_expectations` reads them.

    Raises:
        ContractError: An expectation cannot be built.
    """
    results = judged_without_library(contract, measurements)
    known = {result["expectation_config"]["meta"]["rule"] for result in results}
    others = tuple(rule for rule in contract.expectation_rules if rule.id not in known)
    if others:
        from data_contracts.expectations import own_results as judged_by_library  # noqa: PLC0415

        left = contract.model_copy(update={"expectation_rules": others})
        results += judged_by_library(left, measurements)["results"]
    return results

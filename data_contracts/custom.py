"""The contract's own expectations about single rows, which only Great Expectations can count."""

from __future__ import annotations

from collections.abc import Mapping

from data_contracts.contract import Contract
from data_contracts.expectation_plan import AGGREGATES
from data_contracts.measurements import CustomCounts
from data_contracts.parsing import ParsedTable


def custom_counts(parsed: ParsedTable, contract: Contract) -> Mapping[str, CustomCounts]:
    """Count what the row-level expectations of a contract need in one partition, by rule; most contracts have none."""
    if all(rule.type in AGGREGATES for rule in contract.expectation_rules):
        return {}
    # Importing Great Expectations takes seconds, so only contracts that need it to look at rows pay for it.
    from data_contracts.expectations import measure_custom  # noqa: PLC0415

    return measure_custom(parsed, contract)

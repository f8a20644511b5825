"""Finding, without any data, which expectations of a contract cannot be executed.

Importing this imports Great Expectations, which takes seconds.
"""

from __future__ import annotations

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.custom import custom_counts, look_again
from data_contracts.errors import ContractError
from data_contracts.executability import why_not
from data_contracts.expectations import known_expectations, own_results
from data_contracts.generate import generate_records
from data_contracts.measure import measure_partition
from data_contracts.parsing import ParsedTable
from data_contracts.row_rules import broken_rules

_TRIAL_ROWS = 16


def inexecutable_rules(contract: Contract) -> list[tuple[ExpectationRule, str]]:
    """Find the contract's own expectations that cannot be executed, each with the reason, without any data.

    What passes every other check is tried on a few generated rows.
    """
    names = [column.name for column in contract.columns]
    parsed = ParsedTable(generate_records(contract, names, _TRIAL_ROWS, seed=0), {})
    known = known_expectations()
    found = []
    for rule in contract.expectation_rules:
        why = why_not(rule, contract, known)
        if why is None:
            alone = contract.model_copy(update={"expectation_rules": (rule,)})
            why = _trial(rule, parsed, alone)
        if why is not None:
            found.append((rule, why))
    return found


def _trial(rule: ExpectationRule, parsed: ParsedTable, alone: Contract) -> str | None:
    """Measure and judge one rule on a few rows; return what went wrong."""
    try:
        first = measure_partition(parsed, broken_rules(parsed, alone), alone, custom_counts(parsed, alone))
        own_results(alone, look_again(alone, first, lambda _columns: [parsed]))
    except ContractError as error:
        return str(error).split("\n", maxsplit=1)[0].removeprefix(f"{alone.path}:{rule.line}: ")
    return None

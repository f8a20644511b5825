"""A genuine suite from a contract's rules."""

from __future__ import annotations

from typing import Any

import pandas as pd
from great_expectations import ExpectationSuite
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations

from data_contracts.contract import Contract
from data_contracts.errors import ContractError
from data_contracts.expectation_plan import PlannedExpectation, plan_expectations
from data_contracts.expectations import own  # noqa: F401 - registers its expectations
from data_contracts.masking import hides, masked_kwargs

# What the library raises at arguments or data that it cannot work with; pydantic 1's errors are ValueErrors.
LIBRARY_ERRORS = (GreatExpectationsError, ValueError, TypeError)

_REASON = 300


def known_expectations() -> list[str]:
    """Return the names of all expectations that the library has, ours included."""
    return sorted(list_registered_expectation_implementations())


def build_suite(contract: Contract) -> ExpectationSuite:
    """Build the suite of all rules of a contract; each expectation's `meta` names its rule.

    Raises:
        ContractError: An expectation written in the contract cannot be built.
    """
    expectations = [build(planned, contract) for planned in plan_expectations(contract)]
    return ExpectationSuite(name=contract.name, expectations=expectations, meta={"contract": contract.digest})


def suite_document(contract: Contract) -> dict[str, Any]:
    """Return the suite of a contract as JSON, to be shown; values listed for classified columns are masked.

    The library's random ids are left out, so that equal contracts give equal documents.

    Raises:
        ContractError: An expectation written in the contract cannot be built.
    """
    document: dict[str, Any] = build_suite(contract).to_json_dict()
    document.pop("id", None)
    document["meta"].pop("great_expectations_version", None)
    for expectation in document["expectations"]:
        expectation.pop("id", None)
        if hides(expectation["kwargs"], contract):
            expectation["kwargs"] = masked_kwargs(expectation["kwargs"])
    return document


def build(planned: PlannedExpectation, contract: Contract) -> Expectation:
    """Build one expectation.

    Raises:
        ContractError: The library does not take its arguments.
    """
    meta = {"rule": planned.rule.id, "line": planned.rule.line}
    try:
        return get_expectation_impl(planned.type)(
            **planned.kwargs, meta=meta, severity=FailureSeverity(planned.severity)
        )
    except LIBRARY_ERRORS as error:
        what = f"rule {planned.rule.id}: {planned.type} cannot be built: {' '.join(str(error).split())}"
        raise ContractError.at(contract.path, planned.rule.line, what) from error


def empty_engine(contract: Contract) -> PandasExecutionEngine:
    """Return an engine over no rows: some expectations ask about types before they say which metrics they need."""
    engine = PandasExecutionEngine()
    engine.load_batch_data("rows", pd.DataFrame({column.name: [] for column in contract.columns}, dtype=object))
    return engine


def not_executed(planned: PlannedExpectation, contract: Contract, cause: Any) -> ContractError:
    """Return the error of an expectation that the library cannot measure or judge."""
    reason = " ".join(str(cause).split())[:_REASON]
    what = f"rule {planned.rule.id}: {planned.type} cannot be executed: {reason}"
    do = "mend the rule's kwargs or the column's logicalType"
    return ContractError.at(contract.path, planned.rule.line, what, do=do)

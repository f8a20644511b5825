"""Genuine results of a suite, judged by the library from measurements of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from great_expectations import __version__
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.validator.validation_statistics import calc_validation_statistics

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.executability import Mode, execution
from data_contracts.expectation_metrics import left_out, metric_value
from data_contracts.expectation_plan import PlannedExpectation, plan_expectation, plan_expectations
from data_contracts.expectations.partition import RESULT_FORMAT
from data_contracts.expectations.plain import plain_json
from data_contracts.expectations.suite import LIBRARY_ERRORS, build, empty_engine, not_executed
from data_contracts.masking import hides, masked_kwargs, masked_result
from data_contracts.measurements import Gathered, Measurements


def validation_result(contract: Contract, measurements: Measurements, duplicates: Mapping[str, int]) -> dict[str, Any]:
    """Let Great Expectations judge a dataset and return its suite validation result as JSON.

    Element counts and `mostly` refer to the whole dataset. Values of classified columns are masked.

    Args:
        contract: The rules.
        measurements: Of all rows, completed by `data_contracts.custom.look_again`.
        duplicates: For every key rule the rows that share their key with another, as the library counts them; for every
            `duplicateValues` rule the rows beyond the first of each key; both by id.

    Raises:
        ContractError: An expectation written in the contract cannot be built.
    """
    return _document(contract, plan_expectations(contract), measurements, duplicates)


def own_results(contract: Contract, measurements: Measurements) -> dict[str, Any]:
    """Return the same of the expectations alone that are written in the contract, which need no `duplicates`.

    Raises:
        ContractError: An expectation written in the contract cannot be built.
    """
    planned = (plan_expectation(rule, contract) for rule in contract.expectation_rules)
    return _document(contract, planned, measurements, {})


def _document(
    contract: Contract,
    expectations: Iterable[PlannedExpectation],
    measurements: Measurements,
    duplicates: Mapping[str, int],
) -> dict[str, Any]:
    engine = empty_engine(contract)
    results = [_judge(planned, contract, measurements, duplicates, engine) for planned in expectations]
    statistics = calc_validation_statistics(results)._asdict()
    document: Any = ExpectationSuiteValidationResult(
        success=statistics.pop("success"),
        results=results,
        suite_name=contract.name,
        statistics=statistics,
        meta={"contract": contract.digest, "great_expectations_version": __version__},
    )
    found: dict[str, Any] = document.to_json_dict()
    for result in found["results"]:
        config = result["expectation_config"]
        if hides(config["kwargs"], contract):
            result["result"] = masked_result(config["type"], result["result"])
            config["kwargs"] = masked_kwargs(config["kwargs"])
    plain: dict[str, Any] = plain_json(found)
    return plain


def _judge(
    planned: PlannedExpectation,
    contract: Contract,
    measurements: Measurements,
    duplicates: Mapping[str, int],
    engine: PandasExecutionEngine,
) -> ExpectationValidationResult:
    expectation = build(planned, contract)
    if (gathered := _gathered(planned, contract, measurements)) is not None:
        return _as_gathered(gathered, expectation)
    runtime = {"result_format": dict(RESULT_FORMAT)}
    try:
        dependencies = expectation.get_validation_dependencies(engine, runtime)
        metrics = {
            config.id: metric_value(name, planned, contract, measurements, duplicates)
            for name, config in dependencies.metric_configurations.items()
        }
        return expectation.metrics_validate(metrics, runtime_configuration=runtime, execution_engine=engine)
    except LIBRARY_ERRORS as error:
        raise not_executed(planned, contract, error) from error


def _gathered(planned: PlannedExpectation, contract: Contract, measurements: Measurements) -> Gathered | None:
    if (gathered := measurements.gathered.get(planned.rule.id)) is not None:
        return gathered
    why = left_out(planned, measurements)
    if isinstance(planned.rule, ExpectationRule) and execution(planned.rule, contract).mode is Mode.GATHERED:
        why = "its values were not gathered"
    return None if why is None else Gathered(success=False, why=why)


def _as_gathered(gathered: Gathered, expectation: Any) -> ExpectationValidationResult:
    raised = {"raised_exception": True, "exception_message": gathered.why, "exception_traceback": None}
    return ExpectationValidationResult(
        success=gathered.success,
        expectation_config=expectation.configuration,
        result=dict(gathered.result),
        exception_info=None if gathered.why is None else raised,
    )

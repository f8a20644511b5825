"""Great Expectations: a genuine suite from a contract, and genuine results that the library judges from our metrics.

The only file that imports the library; importing it takes seconds. The library measures a pandas frame in memory, so
over a dataset of any size it is given metrics merged from measurements, and judges each expectation from those. An
expectation about single rows that has no measurement of ours is measured by the library, partition by partition.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

import numpy as np
import pandas as pd
from great_expectations import ExpectationSuite, __version__
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, ColumnMapExpectation, Expectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.metric_provider import metric_value as provides_metric
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations
from great_expectations.validator.metrics_calculator import MetricsCalculator
from great_expectations.validator.validation_statistics import calc_validation_statistics

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.errors import ContractError
from data_contracts.executability import why_not
from data_contracts.expectation_metrics import left_out, metric_value
from data_contracts.expectation_plan import AGGREGATES, PlannedExpectation, plan_expectation, plan_expectations
from data_contracts.frames import expectation_frame, metric_of_frame, referenced_columns
from data_contracts.generate import generate_records
from data_contracts.judge import holds
from data_contracts.measure import measure_partition
from data_contracts.measurements import CUSTOM_EXAMPLES, CustomCounts, Measurements
from data_contracts.parsing import ParsedTable
from data_contracts.row_rules import MASK, WHOLE, broken_rules, is_secret

_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": CUSTOM_EXAMPLES}
_TRIAL_ROWS = 16
_REASON = 300


class ColumnValuesMultiplesOf(ColumnMapMetricProvider):
    """Whether each value is a whole multiple of a factor: exactly among whole numbers, else up to rounding."""

    condition_metric_name = "column_values.multiples_of"
    condition_value_keys = ("factor",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(self, column: Any, factor: float, **_: Any) -> Any:
        numbers = column.astype("float64")
        with np.errstate(over="ignore", invalid="ignore"):
            quotient = numbers / factor
            near = (quotient - quotient.round()).abs() <= quotient.abs() * WHOLE
        if not float(factor).is_integer():
            return near | np.isinf(quotient)
        return (numbers % factor == 0).where(numbers % 1 == 0, near)


class ExpectColumnValuesToBeMultiplesOf(ColumnMapExpectation):
    """Expect the values to be whole multiples of `factor`, as the standard's `multipleOf` asks."""

    factor: float
    map_metric: ClassVar[str] = "column_values.multiples_of"
    success_keys: ClassVar[tuple[str, ...]] = ("factor", "mostly")


class TableContractMetric(TableMetricProvider):
    """The value of one of the standard's five library metrics."""

    metric_name = "table.contract_metric"
    value_keys = ("metric", "columns", "arguments", "unit")

    # The library passes the class by the name `cls`.
    @provides_metric(engine=PandasExecutionEngine)
    def _pandas(cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> float:  # noqa: N805
        frame, _domain, _accessor = execution_engine.get_compute_domain(metric_domain_kwargs, MetricDomainTypes.TABLE)
        return metric_of_frame(frame, **metric_value_kwargs)


class ExpectContractMetricToHold(BatchExpectation):
    """Expect a library metric of the standard to compare with a bound as the contract says."""

    metric: str
    columns: list[str]
    arguments: dict[str, Any]
    unit: str
    operator: Any
    bound: Any
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.contract_metric",)
    success_keys: ClassVar[tuple[str, ...]] = ("metric", "columns", "arguments", "unit", "operator", "bound")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        value = metrics["table.contract_metric"]
        return {"success": holds(self.operator, value, self.bound), "result": {"observed_value": value}}


def build_suite(contract: Contract) -> ExpectationSuite:
    """Build the suite of all rules of a contract; each expectation's `meta` names its rule.

    Raises:
        ContractError: An expectation written in the contract cannot be built.
    """
    expectations = [_build(planned, contract) for planned in plan_expectations(contract)]
    return ExpectationSuite(name=contract.name, expectations=expectations, meta={"contract": contract.digest})


def validation_result(contract: Contract, measurements: Measurements, duplicates: Mapping[str, int]) -> dict[str, Any]:
    """Let Great Expectations judge a dataset and return its suite validation result as JSON.

    Element counts and `mostly` refer to the whole dataset. The unexpected count of a unique key is the rows beyond
    the first of each key (the library itself counts those first rows too).

    Args:
        contract: The rules.
        measurements: Of all rows.
        duplicates: See `judge.judge`.

    Raises:
        ContractError: An expectation written in the contract cannot be built.
    """
    engine = _empty_engine(contract)
    results = [_judge(planned, contract, measurements, duplicates, engine) for planned in plan_expectations(contract)]
    statistics = calc_validation_statistics(results)._asdict()
    document: Any = ExpectationSuiteValidationResult(
        success=statistics.pop("success"),
        results=results,
        suite_name=contract.name,
        statistics=statistics,
        meta={"contract": contract.digest, "great_expectations_version": __version__},
    )
    found: dict[str, Any] = document.to_json_dict()
    return found


def measure_custom(parsed: ParsedTable, contract: Contract) -> dict[str, CustomCounts]:
    """Let Great Expectations measure one partition for the contract's own expectations about single rows.

    Every call has an engine of its own, for the library's objects must not be shared between threads.

    Args:
        parsed: The partition.
        contract: The rules.

    Raises:
        ContractError: An expectation cannot be measured on the data.
    """
    rules = [rule for rule in contract.expectation_rules if rule.type not in AGGREGATES]
    return {rule.id: _measure_rule(rule, parsed, contract) for rule in rules}


def inexecutable_rules(contract: Contract) -> list[tuple[ExpectationRule, str]]:
    """Find the contract's own expectations that cannot be executed, each with the reason, without any data.

    What passes every other check is tried on a few generated rows.
    """
    names = [column.name for column in contract.columns]
    parsed = ParsedTable(generate_records(contract, names, _TRIAL_ROWS, seed=0), {})
    known = list_registered_expectation_implementations()
    found = []
    for rule in contract.expectation_rules:
        why = why_not(rule, contract, known, _map_metric(rule.type, known))
        if why is None:
            alone = contract.model_copy(update={"expectation_rules": (rule,)})
            why = _trial(rule, parsed, alone)
        if why is not None:
            found.append((rule, why))
    return found


def _map_metric(name: str, known: list[str]) -> str | None:
    return getattr(get_expectation_impl(name), "map_metric", None) if name in known else None


def _build(planned: PlannedExpectation, contract: Contract) -> Expectation:
    meta = {"rule": planned.rule.id, "line": planned.rule.line}
    try:
        return get_expectation_impl(planned.type)(
            **planned.kwargs, meta=meta, severity=FailureSeverity(planned.severity)
        )
    except (GreatExpectationsError, ValueError, TypeError) as error:
        # The library validates with pydantic 1, whose errors are ValueErrors.
        what = f"rule {planned.rule.id}: {planned.type} cannot be built: {' '.join(str(error).split())}"
        raise ContractError.at(contract.path, planned.rule.line, what) from error


def _empty_engine(contract: Contract) -> PandasExecutionEngine:
    # Some expectations ask the engine whether a column holds objects before they say which metrics they need.
    engine = PandasExecutionEngine()
    engine.load_batch_data("rows", pd.DataFrame({column.name: [] for column in contract.columns}, dtype=object))
    return engine


def _judge(
    planned: PlannedExpectation,
    contract: Contract,
    measurements: Measurements,
    duplicates: Mapping[str, int],
    engine: PandasExecutionEngine,
) -> ExpectationValidationResult:
    expectation = _build(planned, contract)
    if (why := left_out(planned, measurements)) is not None:
        return ExpectationValidationResult(
            success=False,
            expectation_config=expectation.configuration,
            result={},
            exception_info={"raised_exception": True, "exception_message": why, "exception_traceback": None},
        )
    runtime = {"result_format": dict(_RESULT_FORMAT)}
    dependencies = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=runtime)
    metrics = {
        config.id: metric_value(name, planned, contract, measurements, duplicates)
        for name, config in dependencies.metric_configurations.items()
    }
    try:
        return expectation.metrics_validate(metrics, runtime_configuration=runtime, execution_engine=engine)
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise _not_executed(planned, contract, error) from error


def _measure_rule(rule: ExpectationRule, parsed: ParsedTable, contract: Contract) -> CustomCounts:
    planned = plan_expectation(rule, contract)
    expectation = _build(planned, contract)
    names = referenced_columns(rule, contract)
    engine = PandasExecutionEngine()
    engine.load_batch_data("rows", expectation_frame(parsed.table.select(names)))
    runtime = {"result_format": dict(_RESULT_FORMAT)}
    dependencies = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=runtime)
    configs = dependencies.metric_configurations
    try:
        resolved, failed = MetricsCalculator(engine).compute_metrics(list(configs.values()), runtime)
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise _not_executed(planned, contract, error) from error
    if failed:
        raise _not_executed(planned, contract, next(iter(failed.values())))
    counts = {name: int(resolved[c.id]) for name, c in configs.items() if not name.endswith(".unexpected_values")}
    unexpected = [v for name, c in configs.items() if name.endswith(".unexpected_values") for v in resolved[c.id]]
    secret = any(is_secret(contract.column(name)) for name in names)
    return CustomCounts(counts=counts, unexpected=tuple(_plain(unexpected[:CUSTOM_EXAMPLES], secret=secret)))


def _plain(values: Iterable[Any], *, secret: bool) -> Iterable[Any]:
    for value in values:
        native = value.item() if isinstance(value, np.generic) else value
        yield MASK if secret else native if isinstance(native, bool | int | float | str) else str(native)


def _not_executed(planned: PlannedExpectation, contract: Contract, cause: Any) -> ContractError:
    reason = " ".join(str(cause).split())[:_REASON]
    what = f"rule {planned.rule.id}: {planned.type} cannot be executed: {reason}"
    do = "mend the rule's kwargs or the column's logicalType"
    return ContractError.at(contract.path, planned.rule.line, what, do=do)


def _trial(rule: ExpectationRule, parsed: ParsedTable, alone: Contract) -> str | None:
    """Measure and judge one rule on a few rows; return what went wrong."""
    try:
        measurements = measure_partition(parsed, broken_rules(parsed, alone), alone, measure_custom(parsed, alone))
        _judge(plan_expectation(rule, alone), alone, measurements, {}, _empty_engine(alone))
    except ContractError as error:
        return str(error).split("\n", maxsplit=1)[0].removeprefix(f"{alone.path}:{rule.line}: ")
    return None

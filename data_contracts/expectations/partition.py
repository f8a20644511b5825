"""Letting Great Expectations measure rows in a frame, for expectations that have no measurement of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import Expectation
from great_expectations.validator.metrics_calculator import MetricsCalculator

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.executability import Mode, execution
from data_contracts.expectation_plan import plan_expectation, referenced_columns
from data_contracts.expectations.suite import LIBRARY_ERRORS, build, not_executed
from data_contracts.frames import expectation_frame
from data_contracts.masking import hides
from data_contracts.measurements import CUSTOM_EXAMPLES, CustomCounts
from data_contracts.parsing import ParsedTable
from data_contracts.row_rules import MASK

RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": CUSTOM_EXAMPLES}


class SeededEngine(PandasExecutionEngine):
    """The library's engine over one frame, with some metrics known before: those of the whole, not of the frame.

    Every call makes an engine of its own, for the library's objects must not be shared between threads.

    Args:
        frame: The rows.
        seeds: Values by the library's metric name.
    """

    def __init__(self, frame: pd.DataFrame, seeds: Mapping[str, Any]) -> None:
        super().__init__()
        self.load_batch_data("rows", frame)
        self._seeds = seeds

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[Any],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Resolve metrics, the known ones without looking at the frame."""
        known = {
            each.id: self._seeds[each.metric_name] for each in metrics_to_resolve if each.metric_name in self._seeds
        }
        others = [each for each in metrics_to_resolve if each.id not in known]
        found: dict[Any, Any] = super().resolve_metrics(others, metrics, runtime_configuration)
        return {**found, **known}


def measure_custom(parsed: ParsedTable, contract: Contract) -> dict[str, CustomCounts]:
    """Let Great Expectations measure one partition for the expectations that it counts row by row.

    Args:
        parsed: The partition.
        contract: The rules.

    Raises:
        ContractError: An expectation cannot be measured on the data.
    """
    counts: dict[str, CustomCounts] = {}
    if not parsed.table.num_rows:
        return counts
    for rule in contract.expectation_rules:
        how = execution(rule, contract)
        if how.mode is Mode.PARTITION and not how.again:
            frame = expectation_frame(parsed.table.select(referenced_columns(rule, contract)))
            counts[rule.id] = count_frame(rule, frame, contract, {})
    return counts


def count_frame(
    rule: ExpectationRule, frame: pd.DataFrame, contract: Contract, seeds: Mapping[str, Any]
) -> CustomCounts:
    """Count what one expectation about rows needs in one frame.

    Args:
        rule: The expectation.
        frame: Rows, with at least the columns that it looks at.
        contract: The rules.
        seeds: See `SeededEngine`.

    Raises:
        ContractError: The expectation cannot be measured on the data.
    """
    _, metrics = _measure(rule, SeededEngine(frame, seeds), contract)
    counts = {name: int(value) for name, value in metrics.items() if not name.endswith(".unexpected_values")}
    unexpected = [v for name, values in metrics.items() if name.endswith(".unexpected_values") for v in values]
    secret = hides(rule.kwargs, contract)
    return CustomCounts(counts=counts, unexpected=tuple(_plain(unexpected[:CUSTOM_EXAMPLES], secret=secret)))


def judge_frame(rule: ExpectationRule, frame: pd.DataFrame, contract: Contract) -> ExpectationValidationResult:
    """Let the library measure and judge one expectation on one frame.

    Raises:
        ContractError: The expectation cannot be executed on the data.
    """
    engine = SeededEngine(frame, {})
    expectation, metrics = _measure(rule, engine, contract)
    runtime = {"result_format": dict(RESULT_FORMAT)}
    configs = expectation.get_validation_dependencies(engine, runtime).metric_configurations
    values = {config.id: metrics[name] for name, config in configs.items()}
    try:
        return expectation.metrics_validate(values, runtime_configuration=runtime, execution_engine=engine)
    except LIBRARY_ERRORS as error:
        raise not_executed(plan_expectation(rule, contract), contract, error) from error


def _measure(rule: ExpectationRule, engine: SeededEngine, contract: Contract) -> tuple[Expectation, dict[str, Any]]:
    """Return the expectation, and the metrics that it asks for by its own names for them."""
    planned = plan_expectation(rule, contract)
    expectation = build(planned, contract)
    runtime = {"result_format": dict(RESULT_FORMAT)}
    try:
        configs = expectation.get_validation_dependencies(engine, runtime).metric_configurations
        calculator = MetricsCalculator(engine, show_progress_bars=False)
        graph = calculator.build_metric_dependency_graph(list(configs.values()), runtime)
        resolved, failed = calculator.resolve_validation_graph(graph, runtime)
    except LIBRARY_ERRORS as error:
        raise not_executed(planned, contract, error) from error
    if failed:
        cause = next(iter(failed.values()))["exception_info"]["exception_message"]
        raise not_executed(planned, contract, cause)
    return expectation, {name: resolved[config.id] for name, config in configs.items()}


def _plain(values: Iterable[Any], *, secret: bool) -> Iterable[Any]:
    for value in values:
        yield MASK if secret else _json(value)


def _json(value: Any) -> Any:
    native = value.item() if isinstance(value, np.generic) else value
    if isinstance(native, dict):
        return {key: _json(part) for key, part in native.items()}
    if isinstance(native, tuple | list):
        return [_json(part) for part in native]
    if pd.isna(native):
        return None
    if isinstance(native, pd.Timestamp):
        return native.isoformat()
    return native if isinstance(native, bool | int | float | str) else str(native)

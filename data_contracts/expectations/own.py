"""Expectations that the standard's rules need and Great Expectations lacks."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.metric_provider import metric_value as provides_metric
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from data_contracts.frames import metric_of_frame
from data_contracts.judge import holds
from data_contracts.row_rules import WHOLE


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

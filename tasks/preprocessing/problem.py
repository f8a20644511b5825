"""The kind of problem: what a config says of the target, held against the contract's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from data_contracts.contract import Column, Contract, LogicalType
from tasks.data.schema import known_column
from tasks.errors import ConfigError
from tasks.preprocessing.targets import Problem, TargetNames, raw_columns

TargetKind = Literal["classes", "labels", "number"]

DEFAULT_QUANTILES = (0.1, 0.5, 0.9)

_FITTING: Mapping[Problem, tuple[LogicalType, ...]] = {
    "binary": ("boolean", "string", "integer"),
    "multiclass": ("string", "integer"),
    "multilabel": ("boolean",),
    "regression": ("number", "integer"),
    "quantile": ("number", "integer"),
}
_PREDICTED: Mapping[Problem, str] = {
    "binary": "one of two classes",
    "multiclass": "one of several classes",
    "multilabel": "several booleans",
    "regression": "a number",
    "quantile": "quantiles of a number",
}


def _names(given: Any) -> Any:
    if isinstance(given, list | tuple) and all(isinstance(each, str) for each in given):
        return tuple(given)
    if isinstance(given, str):
        return given
    raise ValueError(f"expected a column's name, or a list of names for a multilabel problem, got {given!r}")


class TargetConfig(BaseModel):
    """What is predicted.

    Attributes:
        problem: What kind of problem it is. `auto` goes by the target: a column of booleans, strings or integers has
            classes, a column of numbers is a regression, and a list of columns is multilabel.
        target: The column to predict, or for a multilabel problem the list of its boolean columns.
        quantiles: For `problem: quantile` the quantiles to predict, ascending; by default .1, .5 and .9.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: Literal["auto", Problem] = "auto"
    target: Annotated[TargetNames, BeforeValidator(_names)]
    quantiles: tuple[float, ...] | None = Field(default=None, validate_default=True)

    @field_validator("target")
    @classmethod
    def _enough_columns(cls, target: TargetNames, info: ValidationInfo) -> TargetNames:
        problem = info.data.get("problem", "auto")
        if isinstance(target, str):
            if problem == "multilabel":
                raise ValueError(
                    f"`problem: multilabel` predicts several boolean columns, got the one column `{target}`\n"
                    f"  do: list the columns (`target: [{target}, ...]`), or write `problem: binary`"
                )
            return target
        if problem not in {"auto", "multilabel"}:
            raise ValueError(
                f"`problem: {problem}` predicts one column, got the list {list(target)}\n"
                "  do: name one column, or write `problem: multilabel`"
            )
        if len(target) < 2:
            raise ValueError(
                f"a list of columns is a multilabel problem, which has two or more; got {list(target)}\n"
                "  do: add the other labels, or name the one column without a list"
            )
        twice = sorted({name for name in target if target.count(name) > 1})
        if twice:
            raise ValueError(f"`{twice[0]}` stands in the list of labels more than once\n  do: name each column once")
        return target

    @field_validator("quantiles")
    @classmethod
    def _quantiles_of_quantile(
        cls, quantiles: tuple[float, ...] | None, info: ValidationInfo
    ) -> tuple[float, ...] | None:
        problem = info.data.get("problem")
        if quantiles is None:
            return DEFAULT_QUANTILES if problem == "quantile" else None
        if problem not in {"quantile", None}:
            raise ValueError(
                f"quantiles belong to `problem: quantile`, and the problem is `{problem}`\n"
                "  do: write `problem: quantile`, or leave `quantiles` out"
            )
        ascending = all(low < high for low, high in pairwise(quantiles))
        if not quantiles or not ascending or not 0 < quantiles[0] <= quantiles[-1] < 1:
            raise ValueError(
                f"expected one or more quantiles, ascending, each between 0 and 1, got {list(quantiles)}\n"
                "  do: write such as `quantiles: [0.1, 0.5, 0.9]`"
            )
        return quantiles

    @property
    def targets(self) -> tuple[str, ...]:
        """Raw columns of the target."""
        return raw_columns(self.target)


def require_target(contract: Contract, config: TargetConfig) -> TargetKind:
    """Check that the problem can be solved for the columns that are named, by their types in the contract.

    Returns:
        What the target is: `classes` of one column, several `labels`, or one `number`.

    Raises:
        ConfigError: A column is not in the contract, or has a type that the problem does not predict.
    """
    columns = [known_column("target", name, contract) for name in config.targets]
    problem = config.problem
    if problem == "auto":
        problem = _by_type(columns, contract) if isinstance(config.target, str) else "multilabel"
    for column in columns:
        if column.logical_type not in _FITTING[problem]:
            raise ConfigError(
                f"target: {_said(column, contract)}; `problem: {problem}` predicts {_PREDICTED[problem]} and needs "
                f"{' or '.join(_FITTING[problem])}\n  do: {_instead(column, problem, contract)}"
            )
    if problem == "multilabel":
        return "labels"
    return "number" if problem in {"regression", "quantile"} else "classes"


def possible_problems(contract: Contract, config: TargetConfig) -> tuple[Problem, ...]:
    """Return the problems that a config may turn out to have; two where only the data tells the number of classes.

    Raises:
        ConfigError: As `require_target`.
    """
    kind = require_target(contract, config)
    if config.problem != "auto":
        return (config.problem,)
    if kind == "classes":
        boolean = contract.column(config.targets[0]).logical_type == "boolean"
        return ("binary",) if boolean else ("binary", "multiclass")
    return ("multilabel",) if kind == "labels" else ("regression",)


def _by_type(columns: Sequence[Column], contract: Contract) -> Problem:
    """Return a problem of the kind that a column's type makes."""
    column = columns[0]
    if column.logical_type in _FITTING["binary"]:
        return "binary"
    if column.logical_type == "number":
        return "regression"
    raise ConfigError(
        f"target: {_said(column, contract)}; what is predicted is a boolean, string, integer or number\n"
        f"  do: name another column, or give it such a type in {contract.path}"
    )


def _said(column: Column, contract: Contract) -> str:
    line = "" if column.line is None else f":{column.line}"
    return f"`{column.name}` is of type {column.logical_type} ({contract.path}{line})"


def _instead(column: Column, problem: Problem, contract: Contract) -> str:
    fitting = [each for each, types in _FITTING.items() if column.logical_type in types and each != "multilabel"]
    other = f"name another column, or give it such a type in {contract.path}"
    if problem == "multilabel" or not fitting:
        return other
    return f"write `problem: {fitting[0]}`, or {other}"

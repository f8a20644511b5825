"""What can be known to be wrong before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data_contracts.contract import Contract
from data_contracts.errors import ContractError
from data_contracts.loader import load_contract
from data_contracts.yaml_lines import nearest
from pipelines.config import PipelineConfig, load_config
from tasks.data.schema import known_column
from tasks.data.split import split_columns
from tasks.errors import ConfigError
from tasks.evaluation.metrics import METRIC_NAMES
from tasks.preprocessing.plan import feature_columns, plan_measures

_TARGETS = ("boolean", "integer", "string")


def check_pipeline(path: Path, overrides: Sequence[str] = ()) -> Contract:
    """Read a config and its contract and check that they can work together.

    Returns:
        The contract.

    Raises:
        ConfigError: The config is wrong.
        ContractError: The contract is wrong, or holds a rule that cannot be executed.
    """
    config = load_config(path, overrides)
    contract = load_contract(config.contract)
    require_sound(config, contract)
    return contract


def require_sound(config: PipelineConfig, contract: Contract) -> None:
    """Check a config against its contract.

    Raises:
        ConfigError: The config names a column or a metric that is not there, or asks for what cannot be.
        ContractError: The contract holds a rule that cannot be executed.
    """
    _require_executable(contract)
    preprocess = config.preprocess
    target = known_column("target", config.target, contract)
    if target.logical_type not in _TARGETS:
        raise ConfigError(
            f"target: `{target.name}` is a {target.logical_type}; a class is a {', '.join(_TARGETS)}\n"
            f"  do: name another column, or give it such a type in {contract.path}"
        )
    columns = feature_columns(contract, preprocess.target, preprocess.include, preprocess.exclude)
    plan_measures(columns, target, preprocess.categorical, preprocess.calendar_numeric, preprocess.calendar_categorical)
    split_columns(contract, config.split)
    for kind in ("floor", "gain"):
        for metric in getattr(config.promote.gates, kind):
            _require_metric(f"promote.gates.{kind}", metric)


def _require_metric(place: str, metric: str) -> None:
    if metric not in METRIC_NAMES:
        close = nearest(metric, METRIC_NAMES)
        hint = f"did you mean `{close}`?" if close else f"there are {', '.join(METRIC_NAMES)}"
        raise ConfigError(f"{place}: `{metric}` is no metric; {hint}")


def _require_executable(contract: Contract) -> None:
    if not contract.expectation_rules:
        return
    # Great Expectations takes seconds to import; a contract without expectations of its own does not need it here.
    from data_contracts.expectations import inexecutable_rules  # noqa: PLC0415

    found = inexecutable_rules(contract)
    if found:
        raise ContractError("\n".join(f"{contract.path}:{rule.line}: rule {rule.id}: {why}" for rule, why in found))

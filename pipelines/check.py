"""What can be known to be wrong before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_contracts.contract import Contract
from data_contracts.errors import ContractError
from data_contracts.executability import how_executed
from data_contracts.loader import load_contract
from data_contracts.yaml_lines import nearest
from pipelines.config import PipelineConfig, load_config
from tasks.augmentation.requirements import require_augmentation
from tasks.cleaning.config import order_notes, require_ordered
from tasks.data.schema import known_column
from tasks.data.split import split_columns
from tasks.errors import ConfigError
from tasks.evaluation.metrics import METRIC_NAMES
from tasks.export.standards import LABEL, PROBABILITIES
from tasks.leakage.plan import LeakagePlan, plan_leakage
from tasks.preprocessing.options import require_preprocessing
from tasks.preprocessing.plan import feature_columns

_TARGETS = ("boolean", "integer", "string")


@dataclass(frozen=True)
class Checked:
    """A contract that a config can work with.

    Attributes:
        notes: What is right and still good to know, a sentence each.
    """

    contract: Contract
    notes: tuple[str, ...]


def check_pipeline(path: Path, overrides: Sequence[str] = ()) -> Checked:
    """Read a config and its contract and check that they can work together.

    Raises:
        ConfigError: The config is wrong.
        ContractError: The contract is wrong, or holds a rule that cannot be executed.
    """
    config = load_config(path, overrides)
    contract = load_contract(config.contract)
    require_sound(config, contract)
    return Checked(contract, tuple(_notes(config, contract)))


def _notes(config: PipelineConfig, contract: Contract) -> Iterator[str]:
    for rule, mode, why in how_executed(contract):
        if mode != "fast":
            yield f"{contract.path}:{rule.line}: expectation {rule.id} runs {mode}: {why}"
    if config.order is not None:
        yield from order_notes(config.order, leakage_plan(config, contract).features)


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
    require_preprocessing(contract, preprocess)
    _require_free_names(contract, config)
    require_augmentation(contract, config.augment, config.train.class_weights, preprocess)
    if config.order is not None:
        require_ordered(contract, config.order, config.target)
    split_columns(contract, config.split)
    leakage_plan(config, contract)
    for kind in ("floor", "gain"):
        for metric in getattr(config.promote.gates, kind):
            _require_metric(f"promote.gates.{kind}", metric)


def _require_free_names(contract: Contract, config: PipelineConfig) -> None:
    learned = config.preprocess
    for column in feature_columns(contract, learned.target, learned.include, learned.exclude):
        if column.name in {LABEL, PROBABILITIES}:
            raise ConfigError(
                f"preprocess: the feature `{column.name}` has the name of one of the model's outputs, {LABEL} and "
                f"{PROBABILITIES}\n  do: rename the column in the data and the contract, or name it in "
                "preprocess.exclude"
            )


def leakage_plan(config: PipelineConfig, contract: Contract) -> LeakagePlan:
    """Return what is looked for before training: leaks of the target into the features, and between the splits.

    Raises:
        ConfigError: The section `leakage` names a column that is not there, or cannot serve.
    """
    learned = config.preprocess
    features = feature_columns(contract, learned.target, learned.include, learned.exclude)
    return plan_leakage(contract, config.leakage, config.split, config.target, [column.name for column in features])


def _require_metric(place: str, metric: str) -> None:
    if metric not in METRIC_NAMES:
        close = nearest(metric, METRIC_NAMES)
        hint = f"did you mean `{close}`?" if close else f"there are {', '.join(METRIC_NAMES)}"
        raise ConfigError(f"{place}: `{metric}` is no metric; {hint}")


def _require_executable(contract: Contract) -> None:
    if not contract.expectation_rules:
        return
    # Great Expectations takes seconds to import; a contract without expectations of its own does not need it here.
    from data_contracts.trial import inexecutable_rules  # noqa: PLC0415

    found = inexecutable_rules(contract)
    if found:
        raise ContractError("\n".join(f"{contract.path}:{rule.line}: rule {rule.id}: {why}" for rule, why in found))

"""What of the section `train` cannot serve a problem, said before any data is read."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tasks.errors import ConfigError
from tasks.preprocessing.targets import Problem
from tasks.training.choice import require_known
from tasks.training.config import TrainConfig
from tasks.training.start import located


def require_fitting(config: TrainConfig, problem: Problem, labels: Collection[str] = ()) -> None:
    """Check a config against the kind of problem.

    Whether a named class is there shows only in the data.

    Args:
        config: The section `train`.
        problem: The kind of problem.
        labels: Of a multilabel problem, where they are at hand.

    Raises:
        ConfigError: The loss, one of its options, the selection's metric or class weights do not fit the problem, or
            what is weighed is no label.
    """
    config.loss.resolved(problem)
    if labels and isinstance(config.loss.pos_weight, dict):
        for name in config.loss.pos_weight:
            require_known("train.loss.pos_weight", name, labels)
    config.selection.resolved(problem)
    if config.class_weights != "none" and problem not in {"binary", "multiclass"}:
        raise ConfigError(
            f"train.class_weights: a {problem} problem has no classes to weigh\n  do: write `none`"
            + ("; labels are weighed by train.loss.pos_weight" if problem == "multilabel" else "")
        )


def possible(config: TrainConfig, home: Path, *, cross_validated: bool = False) -> TrainConfig:
    """Return a config with the checkpoint to start from found, if model and machine can do what it says.

    Args:
        config: The section `train`.
        home: Holds the model store and the checkpoints.
        cross_validated: Whether folds are trained too.

    Raises:
        ConfigError: The model does not start from weights, or is not trained by several processes; or there is no
            such checkpoint.
        IntegrityError: The checkpoint is no longer the one that the config names.
    """
    name = config.model.name
    if config.machine.processes > 1 and (name == "trees" or cross_validated):
        raise ConfigError(
            f"train.machine.devices: {'folds' if cross_validated else 'trees'} are trained in one process, got "
            f"{config.machine.processes}\n  do: write `devices: 1`; `threads` sets the threads"
        )
    if config.machine.strategy == "fsdp" and config.loss.l1:
        raise ConfigError(
            "train.loss.l1: the sum of all weights is not at hand where fsdp splits them\n"
            "  do: leave l1 out, or write `strategy: ddp` in train.machine"
        )
    if config.machine.accelerator == "cpu" and config.machine.precision == "16-mixed":
        config.machine.device()
    if config.start_from is None:
        return config
    if name in {"trees", "blend", "auto"}:
        raise ConfigError(
            f"train.start_from: `{name}` does not start from weights; networks do\n"
            "  do: name a network in train.model, or remove start_from"
        )
    return config.model_copy(update={"start_from": located(config.start_from, home)})

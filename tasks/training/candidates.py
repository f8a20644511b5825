"""What `model: auto` tries, and what trying it costs."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch

from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError
from tasks.models.checkpoint import read_history
from tasks.models.config import AutoConfig, BlendConfig, MemberConfig, ModelConfig
from tasks.models.linear import LinearConfig
from tasks.models.mlp import MlpConfig
from tasks.models.mlp_ple import MlpPleConfig
from tasks.models.random_features import RandomFeaturesConfig
from tasks.models.registry import build_network
from tasks.models.spec import FeatureSpec
from tasks.models.trees import TreesConfig
from tasks.preprocessing.targets import NumberTarget, Problem
from tasks.references import CheckpointRef
from tasks.training.config import TrainConfig
from tasks.training.fit_trees import require_growable
from tasks.training.job import Material

# Up to so many training rows, candidates are those for small tables.
SMALL = 20_000

# CPU seconds, measured on one core of a 2020s server; benchmarks/training/README.md says how well they fit.
_STEP = 3e-3
_MULTIPLICATION = 5e-11
_TREE = 5e-4
_TREE_ROW = 1.2e-8
_TREE_CELL = 3e-10
_SAMPLED_ROW = 8e-8


def default_candidates(rows: int) -> tuple[MemberConfig, ...]:
    """Return the candidates for a number of training rows, the cheap ones first.

    A small table gets a linear model, trees of two sizes, random features, which are smooth as a kernel is, and two
    perceptrons; a large one gets a linear model, large trees that each see half of the features, smaller ones that each
    see half of the features and rows, and a perceptron on piecewise-linear embeddings.
    """
    if rows <= SMALL:
        return (
            LinearConfig(),
            TreesConfig(rounds=500, leaves=8, min_rows=5, feature_share=0.5, row_share=0.8, l2=1.0),
            TreesConfig(rounds=500, leaves=31, feature_share=0.5),
            RandomFeaturesConfig(),
            MlpConfig(hidden=(128, 128), dropout=0.2),
            MlpPleConfig(hidden=(128, 128), dropout=0.2),
        )
    return (
        LinearConfig(),
        TreesConfig(learning_rate=0.03, leaves=127, min_rows=100, feature_share=0.5),
        TreesConfig(learning_rate=0.1, min_rows=100, feature_share=0.5, row_share=0.5, l2=10.0),
        MlpPleConfig(hidden=(256,), activation="relu", embedding_dropout=0.0, numeric_width=32),
    )


def require_members(config: TrainConfig, problem: Problem, augment: AugmentConfig, kept: Collection[str]) -> None:
    """Check that every model that may be trained can do what the section `train` asks for, before any data is read.

    Args:
        config: How to train, and which: one model, the members of a blend, or the candidates of `auto`.
        problem: What kind of problem it is.
        augment: What training itself is to do to batches (`AugmentConfig.for_training`).
        kept: Raw columns that the features dataset carries (`preprocess.keep`).

    Raises:
        ConfigError: Trees are among them, and something is asked for that only networks do; or `auto` is to group
            rows by a column that is not carried.
    """
    model = config.model
    models: tuple[ModelConfig, ...] = (model,)
    if isinstance(model, BlendConfig):
        models = model.members
    elif isinstance(model, AutoConfig):
        models = model.candidates or default_candidates(0)
        if model.group is not None and model.group not in kept:
            raise ConfigError(
                f"train.model.group: the features dataset does not carry `{model.group}`; it carries "
                f"{', '.join(kept) or 'no raw column'}\n  do: add it to preprocess.keep, or remove the key"
            )
    if any(isinstance(each, TreesConfig) for each in models):
        require_growable(config, problem, augment)


def estimated_seconds(model: MemberConfig, config: TrainConfig, material: Material) -> float:
    """Return about how many CPU seconds one training takes, were it never stopped early.

    It is a sum of products of rows, rounds, steps and weights: the same on every machine, and on the high side. Trees
    read all features of a row once for each doubling of their leaves; a share of the features saves next to nothing,
    and rows that a tree was not grown on must walk it afterwards.

    Args:
        model: What is trained.
        config: How.
        material: On what; only its sizes count.
    """
    rows = len(material.train)
    if isinstance(model, TreesConfig):
        target = material.fitted.target
        width = len(material.fitted.numeric) + len(material.fitted.categorical)
        boosters = 1 if isinstance(target, NumberTarget) and not target.quantiles else target.outputs
        trees = model.rounds * (1 if target.problem == "binary" else boosters)
        row = math.log2(model.leaves) * (_TREE_ROW + _TREE_CELL * width) + (model.row_share < 1) * _SAMPLED_ROW
        return trees * (_TREE + rows * row)
    with torch.random.fork_rng(devices=[]):
        weights = build_network(model, FeatureSpec.of(material.fitted)).parameters()
        multiplications = sum(weight.numel() for weight in weights)
    steps = config.rounds * config.steps_per_round
    passed = 3 * steps * min(config.batch_size, rows) + config.rounds * len(material.validation)
    return steps * _STEP + passed * multiplications * _MULTIPLICATION


def share_taken(model: MemberConfig, config: TrainConfig, checkpoint: CheckpointRef) -> float:
    """Return which share of the rounds that it may have a training took until it was stopped, above 0 and up to 1."""
    last = read_history(checkpoint)[-1]
    if isinstance(model, TreesConfig):
        return last["steps"] / model.rounds
    return last["round"] / config.rounds


def described(model: MemberConfig) -> str:
    """Return a model's name and the settings that are not its defaults."""
    changed = {
        name: getattr(model, name)
        for name, setting in type(model).model_fields.items()
        if name != "name" and getattr(model, name) != setting.default
    }
    return " ".join([model.name, *(f"{name}={_short(value)}" for name, value in changed.items())])


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def rounded(value: float, digits: int = 6) -> float:
    """Return a number for people: that many significant digits."""
    return (
        value
        if value == 0 or not math.isfinite(value)
        else round(value, digits - 1 - math.floor(math.log10(abs(value))))
    )

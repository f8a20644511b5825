"""About what training takes, in CPU seconds: one formula for trees, one for networks, and what each model costs in it.

The figures were measured; `docs/check-and-doctor.md` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch

from tasks.cross_validation.config import CrossValidateConfig
from tasks.models.config import AutoConfig, BlendConfig, ModelConfig
from tasks.models.trees import TreesConfig
from tasks.training.config import TrainConfig

# Seconds of trees: of a training row and feature; of a bin of a feature in a leaf, where gains are looked for; and of a
# feature's value that is sorted into bins.
_ROW, _BIN, _BINNED = 3.5e-9, 10e-9, 0.2e-6
# LightGBM's: most bins of a feature, and fewest rows of one.
MOST_BINS, _ROWS_OF_A_BIN = 255, 3
# Seconds of networks: Lightning and PyTorch's exporter at their least and most, a round, a step.
_START, _ROUND, _STEP = (5.0, 20.0), 0.15, 4e-3
# Seconds of a multiplication, forwards and backwards; and the share of that of a row that is only scored.
_MULTIPLIED: Mapping[str, float] = {
    "linear": 0.2e-9,
    "mlp": 0.2e-9,
    "mlp-ple": 0.2e-9,
    "tabm": 0.18e-9,
    "ft-transformer": 0.3e-9,
    "random-features": 0.17e-9,
    "cnn": 0.1e-9,
    "resnet": 0.09e-9,
}
_SCORED = 0.25


class Spent(NamedTuple):
    """CPU seconds, the least and the most, and what to say of them."""

    least: float
    most: float
    said: str


@dataclass(frozen=True)
class Learned:
    """What is learned from.

    Attributes:
        rows: Rows or images for training.
        validation: Rows or images that every round is judged by.
        features: How many features there are; 0 of images.
        bins: Of all features together, at most, as trees cut them.
        boosters: Trees that a round adds.
        multiplications: Of a row, forwards, by a network's config; None where it is not known.
    """

    rows: float
    validation: float
    features: int
    bins: int
    boosters: int
    multiplications: Callable[[ModelConfig], float | None]


def training_cost(config: TrainConfig, learned: Learned, folds: CrossValidateConfig | None = None) -> Spent:
    """Return about what training takes, the folds of a cross-validation included.

    Args:
        config: How is trained.
        learned: From what.
        folds: The section `cross_validate`, if there is one.
    """
    spent = _of(config, config.model, learned)
    least, most, said = spent
    if folds is not None:
        # Each fold leaves out its own part.
        times = 1 + folds.folds * (1 - 1 / folds.folds)
        least, most, said = least * times, most * times, f"{said}, once and for each of {folds.folds} folds"
    return Spent(least, most, f"{said}{_elsewhere(config)}")


def bins_of(rows: float, most: int = MOST_BINS) -> int:
    """Return in how many bins trees cut a feature of at most so many values."""
    return int(max(2, min(most, rows / _ROWS_OF_A_BIN)))


def _of(config: TrainConfig, model: ModelConfig, learned: Learned) -> Spent:
    if isinstance(model, TreesConfig):
        return _trees(model, learned)
    if isinstance(model, AutoConfig):
        return Spent(0.0, 60 * model.cpu_minutes, f"`auto` may take {model.cpu_minutes:g} CPU minutes of it")
    if isinstance(model, BlendConfig):
        members = [_of(config, member, learned) for member in model.members]
        said = "; ".join(f"`{member.name}`, {spent.said}" for member, spent in zip(model.members, members, strict=True))
        least, most = sum(spent.least for spent in members), sum(spent.most for spent in members)
        return Spent(least, most, f"a blend: {said}")
    return _network(config, model, learned)


def _trees(model: TreesConfig, learned: Learned) -> Spent:
    leaves = min(model.leaves, max(1.0, learned.rows / model.min_rows))
    share = model.feature_share
    one = share * (model.row_share * learned.rows * learned.features * _ROW + leaves * learned.bins * _BIN)
    begun = learned.rows * learned.features * _BINNED
    least, most = (
        begun + rounds * learned.boosters * one for rounds in (min(model.patience, model.rounds), model.rounds)
    )
    return Spent(least, most, f"at most {model.rounds:,} rounds of trees")


def _network(config: TrainConfig, model: ModelConfig, learned: Learned) -> Spent:
    said = f"at most {config.rounds} rounds"
    multiplications = learned.multiplications(model)
    if multiplications is None:
        return Spent(*_START, f"{said}, and what `{model.name}` computes comes on top: nothing is known of it")
    row = multiplications * _MULTIPLIED[model.name]
    steps = config.steps_per_round * (_STEP + min(config.batch_size, learned.rows) * row)
    one = _ROUND + steps + learned.validation * row * _SCORED
    least = min(config.rounds, config.selection.patience + 1)
    return Spent(_START[0] + least * one, _START[1] + config.rounds * one, said)


def _elsewhere(config: TrainConfig) -> str:
    machine = config.machine
    if isinstance(config.model, TreesConfig) or machine.accelerator == "cpu":
        return ""
    there = torch.cuda.is_available() or torch.backends.mps.is_available()
    on_gpu = machine.accelerator != "auto" or machine.precision == "16-mixed" or there
    return ", counted for a CPU, where a GPU takes far less" if on_gpu else ""

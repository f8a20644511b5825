"""How weights are moved: an optimizer and its settings, and an exponential moving average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from torch import nn

from tasks.training.choice import require_known, with_defaults

Share = Annotated[float, Field(ge=0.0, lt=1.0)]

_OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adamw": {"learning_rate": 2e-3, "weight_decay": 1e-2},
    "adam": {"learning_rate": 2e-3, "weight_decay": 0.0},
    "sgd": {"learning_rate": 0.05, "weight_decay": 0.0, "momentum": 0.9, "nesterov": False},
    "rmsprop": {"learning_rate": 1e-3, "weight_decay": 0.0, "momentum": 0.0},
}
_SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {"warmup_steps": 50},
    "cosine": {"warmup_steps": 50},
    "one-cycle": {},
    "plateau": {"warmup_steps": 50, "plateau_rounds": 3, "plateau_factor": 0.3},
}


class OptimizerConfig(BaseModel):
    """`optimizer: {name: ...}`. An option that the chosen optimizer or schedule does not have is refused.

    Attributes:
        name: `adamw` (Loshchilov and Hutter, 2019), `adam` (Kingma and Ba, 2015), `sgd` or `rmsprop` (Hinton, 2012).
        learning_rate: The greatest learning rate; the optimizer's own default where it is not given. `auto` finds one
            by a range test (`tasks.training.learning_rate`).
        weight_decay: Decay of matrices and embeddings, not of biases: decoupled in `adamw`, an L2 penalty elsewhere.
        momentum: Of `sgd` and `rmsprop`.
        nesterov: Whether the momentum of `sgd` looks ahead.
        schedule: After the warm-up, stay (`constant`), fall to zero along half a cosine over the configured rounds
            (`cosine`), or fall whenever validation stays where it is (`plateau`); or rise and fall (`one-cycle`).
        warmup_steps: Steps over which the learning rate rises linearly from nearly zero.
        plateau_rounds: Rounds without a new best before `plateau` lowers the learning rate.
        plateau_factor: What it is multiplied by then.
        gradient_norm: Gradients longer than this are shortened to it; 0 leaves them.
        accumulate: Batches whose gradients are added up for one step.
        average_decay: Decay per step of the moving average of the weights, which is what is validated and kept;
            0 keeps the latest weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "adamw"
    learning_rate: PositiveFloat | Literal["auto"] | None = None
    weight_decay: NonNegativeFloat | None = None
    momentum: Share | None = None
    nesterov: bool | None = None
    schedule: str = "cosine"
    warmup_steps: NonNegativeInt | None = None
    plateau_rounds: PositiveInt | None = None
    plateau_factor: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    gradient_norm: NonNegativeFloat = 1.0
    accumulate: PositiveInt = 1
    average_decay: Share = 0.995

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, Mapping):
            return value
        name, schedule = value.get("name", "adamw"), value.get("schedule", "cosine")
        require_known("train.optimizer.name", name, _OPTIMIZERS)
        require_known("train.optimizer.schedule", schedule, _SCHEDULES)
        return with_defaults(
            "train.optimizer", with_defaults("train.optimizer", value, name, _OPTIMIZERS), schedule, _SCHEDULES
        )

    @property
    def rate(self) -> float:
        """The greatest learning rate, of a config that gives a number."""
        assert isinstance(self.learning_rate, float)
        return self.learning_rate


def build_optimizer(
    network: nn.Module, config: OptimizerConfig, *, fused: bool = True, factors: Mapping[str, float] | None = None
) -> torch.optim.Optimizer:
    """Build an optimizer that decays every parameter but the biases.

    Args:
        network: Whose parameters are moved; those that need no gradient are left out.
        config: Which optimizer.
        fused: Whether one kernel may move all of them.
        factors: By what the learning rate of some parameters, by name, is multiplied: `factor` of their groups.
    """
    grouped: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            key = (factors or {}).get(name, 1.0), name.endswith("bias")
            grouped.setdefault(key, []).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": grouped[factor, bias], "factor": factor} | ({"weight_decay": 0.0} if bias else {})
        for factor, bias in sorted(grouped, key=lambda key: (key[0] != 1.0, *key))
    ]
    common: dict[str, Any] = {"lr": config.rate, "weight_decay": config.weight_decay}
    if config.name == "sgd":
        momentum, nesterov = config.momentum or 0.0, bool(config.nesterov)
        return torch.optim.SGD(groups, **common, momentum=momentum, nesterov=nesterov, fused=fused)
    if config.name == "rmsprop":
        return torch.optim.RMSprop(groups, **common, momentum=config.momentum or 0.0, foreach=True)
    kind = torch.optim.AdamW if config.name == "adamw" else torch.optim.Adam
    return kind(groups, **common, fused=fused)


@torch.no_grad()
def move_average(average: list[torch.Tensor], current: list[torch.Tensor], *, step: int, decay: float) -> None:
    """Move averaged tensors towards the current ones.

    The decay itself starts low, as TensorFlow's moving averages do with `num_updates`, so that the first weights,
    which are random, are soon forgotten.

    Args:
        average: `averaged_tensors` of the averaged network; changed in place.
        current: Those of the network that is trained.
        step: Steps made so far, from 1.
        decay: The configured decay.
    """
    share = 1.0 - min(decay, step / (step + 9.0)) if decay else 1.0
    torch._foreach_lerp_(average, current, share)


def averaged_tensors(network: nn.Module) -> list[torch.Tensor]:
    """Return what is averaged: every parameter, and the statistics that normalisations keep of their inputs."""
    statistics = [each for name, each in network.named_buffers() if name.endswith(("running_mean", "running_var"))]
    return [*network.parameters(), *statistics]

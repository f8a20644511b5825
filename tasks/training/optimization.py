"""How weights are moved: AdamW, a learning-rate schedule, and an exponential moving average."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat
from torch import nn


class OptimizerConfig(BaseModel):
    """AdamW (Loshchilov and Hutter, 2019) with a schedule.

    Attributes:
        learning_rate: The greatest learning rate.
        weight_decay: Decoupled decay of matrices and embeddings; biases do not decay.
        schedule: After the warm-up, stay (`constant`) or fall to zero along half a cosine over the configured rounds.
        warmup_steps: Steps over which the learning rate rises linearly from nearly zero.
        gradient_norm: Gradients longer than this are shortened to it; 0 leaves them.
        average_decay: Decay per step of the moving average of the weights, which is what is validated and kept;
            0 keeps the latest weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: PositiveFloat = 2e-3
    weight_decay: NonNegativeFloat = 1e-2
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup_steps: NonNegativeInt = 50
    gradient_norm: NonNegativeFloat = 1.0
    average_decay: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.995


def build_optimizer(network: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """Build a fused AdamW that decays every parameter but the biases."""
    parameters = dict(network.named_parameters())
    biases = [parameter for name, parameter in parameters.items() if name.endswith("bias")]
    others = [parameter for name, parameter in parameters.items() if not name.endswith("bias")]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": biases, "weight_decay": 0.0}]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,
    )


def learning_rate_factor(step: int, config: OptimizerConfig, total: int) -> float:
    """Return the share of the greatest learning rate at a step.

    Args:
        step: The step about to be made, from 0.
        config: The schedule.
        total: Steps of the whole run, were it never stopped early.
    """
    if step < config.warmup_steps:
        return (step + 1) / (config.warmup_steps + 1)
    if config.schedule == "constant":
        return 1.0
    done = (step - config.warmup_steps) / max(1, total - config.warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


@torch.no_grad()
def move_average(average: nn.Module, network: nn.Module, *, step: int, decay: float) -> None:
    """Move averaged weights towards the current ones.

    The decay itself starts low, as TensorFlow's moving averages do with `num_updates`, so that the first weights,
    which are random, are soon forgotten.

    Args:
        average: Holds the average; changed in place.
        network: Holds the current weights, in the same order.
        step: Steps made so far, from 1.
        decay: The configured decay.
    """
    share = 1.0 - min(decay, step / (step + 9.0)) if decay else 1.0
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), share)

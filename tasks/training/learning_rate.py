"""Which learning rate to take: a range test, after Smith, "Cyclical Learning Rates for Training Networks" (WACV 2017).

A copy of the network makes a few steps, each at a higher rate than the one before. Its loss falls, and falls faster,
until the rate is too high and it jumps up. A tenth of the rate at the least loss is taken.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from itertools import pairwise

from pydantic import BaseModel, ConfigDict
from torch import nn

from tasks.errors import TrainingError
from tasks.training.losses import Loss
from tasks.training.optimization import OptimizerConfig, build_optimizer
from tasks.training.splits import Batch

RANGE_STEPS = 120
_LOWEST, _HIGHEST = 1e-6, 3.0
# The loss of one batch says little: this share of the running mean stays at each step.
_SMOOTHING = 0.9
# A loss so many times the least, above where it began, will not come back.
_DIVERGED = 4.0


class RangeTest(BaseModel):
    """What the test saw: the rate and the smoothed loss of each step, and the rate that was chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    chosen: float


def range_test(network: nn.Module, loss: Loss, config: OptimizerConfig, batches: Iterable[Batch]) -> RangeTest:
    """Find a learning rate; the network itself is not changed.

    Args:
        network: With its first weights, on the device where it will be trained.
        loss: What is minimized.
        config: The optimizer whose rate is looked for.
        batches: At least `RANGE_STEPS`, on that device.

    Raises:
        TrainingError: No rate lowers the loss.
    """
    trial = copy.deepcopy(network).train()
    optimizer = build_optimizer(trial, config.model_copy(update={"learning_rate": _LOWEST}))
    rates = [_LOWEST * (_HIGHEST / _LOWEST) ** (step / (RANGE_STEPS - 1)) for step in range(RANGE_STEPS)]
    losses: list[float] = []
    running = 0.0
    for step, (rate, (*inputs, truth)) in enumerate(zip(rates, batches, strict=False)):
        for group in optimizer.param_groups:
            group["lr"] = rate
        value = loss(trial.training_scores(*inputs), truth)  # type: ignore[operator]
        running = _SMOOTHING * running + (1.0 - _SMOOTHING) * float(value.detach())
        smoothed = running / (1.0 - _SMOOTHING ** (step + 1))
        if not math.isfinite(smoothed) or (losses and smoothed > _DIVERGED * max(losses[0], 1e-12)):
            break
        losses.append(smoothed)
        optimizer.zero_grad()
        value.backward()
        if config.gradient_norm:
            nn.utils.clip_grad_norm_(trial.parameters(), config.gradient_norm)
        optimizer.step()
    return RangeTest(rates=tuple(rates[: len(losses)]), losses=tuple(losses), chosen=_choose(rates, losses))


def _choose(rates: list[float], losses: list[float]) -> float:
    falls = any(later < earlier for earlier, later in pairwise(losses))
    if not falls:
        raise TrainingError(
            f"train.optimizer.learning_rate: auto found no rate between {_LOWEST:g} and {_HIGHEST:g} that lowers the "
            "loss\n  do: give a number, such as 0.001; and look whether the features can teach the target at all"
        )
    return float(f"{rates[losses.index(min(losses))] / 10.0:.3g}")

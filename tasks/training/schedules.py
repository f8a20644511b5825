"""How large the steps are, as pure functions of the step and of the rounds before: nothing to save for a resume."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tasks.training.optimization import OptimizerConfig

# Of one-cycle: the share of the run that rises, and what the first and the last rate are divided by.
_RISE = 0.3
_FIRST, _LAST = 25.0, 250_000.0


def learning_rate_factor(step: int, config: OptimizerConfig, total: int) -> float:
    """Return the share of the greatest learning rate at a step.

    `one-cycle` is that of Smith and Topin, "Super-Convergence" (2018), both halves along cosines: it rises over three
    tenths of the run and then falls to nearly nothing. `plateau` stays at 1 here; see `plateau_factor`.

    Args:
        step: The step about to be made, from 0.
        config: The schedule.
        total: Steps of the whole run, were it never stopped early.
    """
    if config.schedule == "one-cycle":
        peak = max(1.0, _RISE * total)
        if step < peak:
            return _between(1.0 / _FIRST, 1.0, step / peak)
        return _between(1.0, 1.0 / _LAST, (step - peak) / max(1.0, total - peak))
    warmup = config.warmup_steps or 0
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if config.schedule in {"constant", "plateau"}:
        return 1.0
    return _between(1.0, 0.0, (step - warmup) / max(1, total - warmup))


def plateau_factor(values: Sequence[float], config: OptimizerConfig, *, greater_is_better: bool) -> float:
    """Return by what `plateau` has lowered the learning rate so far.

    After every `plateau_rounds` rounds without a new best the rate is multiplied by `plateau_factor`.

    Args:
        values: The selection metric of each round so far.
        config: The schedule.
        greater_is_better: Of the metric.
    """
    if config.schedule != "plateau":
        return 1.0
    assert config.plateau_rounds is not None
    assert config.plateau_factor is not None
    factor, best, waited = 1.0, -math.inf, 0
    for value in values:
        gain = value if greater_is_better else -value
        best, waited = (gain, 0) if gain > best else (best, waited + 1)
        if waited == config.plateau_rounds:
            factor, waited = factor * config.plateau_factor, 0
    return factor


def _between(start: float, end: float, done: float) -> float:
    """Go from `start` to `end` along half a cosine; `done` is the share of the way."""
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))

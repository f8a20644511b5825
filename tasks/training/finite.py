"""Numbers that are no longer numbers: where they began, and what is the likely cause."""

from __future__ import annotations

from collections.abc import Callable

import torch

from tasks.errors import TrainingError
from tasks.training.optimization import OptimizerConfig

# A gradient scaler starts at 2 ** 16 and halves at every overflow.
_LEAST_SCALE = 2.0**-10


def require_finite_losses(
    losses: torch.Tensor, first: int, config: OptimizerConfig, rate: Callable[[int], float], precision: str | int
) -> None:
    """Check the losses of a round.

    Args:
        losses: Of its batches, float32.
        first: The round's first step, from 0.
        config: How weights are moved.
        rate: The learning rate of a step.
        precision: Lightning's name for it.

    Raises:
        TrainingError: A loss is not finite.
    """
    lost = torch.nonzero(~torch.isfinite(losses))
    if not len(lost):
        return
    step = first + int(lost[0]) // config.accumulate
    cut = f"gradients are cut at {config.gradient_norm:g}" if config.gradient_norm else "gradients are not cut"
    raise TrainingError(
        f"training: the loss is {float(losses[lost[0]])} at step {step + 1}, where the learning rate is "
        f"{rate(step):.3g} and {cut}; the checkpoint before is kept\n  likely: {_cause(config, step, precision)}\n"
        "  do: lower optimizer.learning_rate, lengthen optimizer.warmup_steps, or use precision 32-true"
    )


def _cause(config: OptimizerConfig, step: int, precision: str | int) -> str:
    if precision == "16-mixed":
        return "a number above 65504, which half precision cannot hold; bf16-mixed can"
    if not config.gradient_norm:
        return "a few very long gradients, which optimizer.gradient_norm would shorten"
    if step <= (config.warmup_steps or 0):
        return "a learning rate that is too high from the start, or a column with huge values"
    return "a learning rate that is too high"


def require_finite_scores(scores: torch.Tensor) -> None:
    """Check the scores of the validation split.

    Raises:
        TrainingError: One is not finite.
    """
    broken = int((~torch.isfinite(scores)).any(dim=1).sum())
    if broken:
        raise TrainingError(
            f"training: the network's scores of {broken} of {len(scores)} validation rows are not finite; the "
            "checkpoint before is kept\n  likely: weights have grown without bound\n"
            "  do: lower optimizer.learning_rate, or raise optimizer.weight_decay"
        )


def require_working_scaler(scaler: torch.amp.GradScaler | None) -> None:
    """Check that half precision still makes steps.

    Raises:
        TrainingError: Overflow after overflow has brought the gradients' scale to nearly nothing.
    """
    if scaler is not None and scaler.is_enabled() and scaler.get_scale() < _LEAST_SCALE:
        raise TrainingError(
            f"training: gradients overflow float16 even at a scale of {scaler.get_scale():.3g}, so no step is made; "
            "the checkpoint before is kept\n  likely: a learning rate that is too high, or a column with huge values\n"
            "  do: use machine.precision bf16-mixed or 32-true, or lower optimizer.learning_rate"
        )

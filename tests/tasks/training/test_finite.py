from __future__ import annotations

import pytest
import torch

from tasks.errors import TrainingError
from tasks.training.finite import require_finite_losses, require_finite_scores, require_working_scaler
from tasks.training.optimization import OptimizerConfig


def _losses(*, at: int, value: float = float("nan")) -> torch.Tensor:
    losses = torch.zeros(20)
    losses[at] = value
    return losses


def _check(losses: torch.Tensor, precision: str = "32-true", **options: float) -> None:
    require_finite_losses(losses, 200, OptimizerConfig.model_validate(options), lambda step: step / 1000, precision)


def test_numbers_pass() -> None:
    _check(torch.ones(20))
    require_finite_scores(torch.ones(3, 2))
    require_working_scaler(None)
    require_working_scaler(torch.amp.GradScaler("cpu"))


def test_the_step_is_that_of_the_first_lost_batch() -> None:
    with pytest.raises(TrainingError, match=r"the loss is nan at step 206, where the learning rate is 0\.205 "):
        _check(_losses(at=5))
    with pytest.raises(TrainingError, match="the loss is inf at step 203"):
        _check(_losses(at=5, value=float("inf")), accumulate=2)


@pytest.mark.parametrize(
    ("precision", "options", "cause"),
    [
        ("16-mixed", {}, "65504, which half precision cannot hold"),
        ("32-true", {"gradient_norm": 0.0}, "gradients are not cut.*\n  likely: a few very long gradients"),
        ("32-true", {"warmup_steps": 300}, "too high from the start"),
        ("32-true", {}, "likely: a learning rate that is too high\n"),
    ],
)
def test_the_likely_cause_is_named(precision: str, options: dict[str, float], cause: str) -> None:
    with pytest.raises(TrainingError, match=cause):
        _check(_losses(at=5), precision, **options)


def test_scores_that_are_lost_are_counted() -> None:
    scores = torch.ones(4, 2)
    scores[1:3, 0] = float("inf")
    with pytest.raises(TrainingError, match="scores of 2 of 4 validation rows"):
        require_finite_scores(scores)


def test_a_scaler_that_has_given_up_stops_the_run() -> None:
    with pytest.raises(TrainingError, match=r"gradients overflow float16 .*\n  likely: .*\n  do: .* bf16-mixed"):
        require_working_scaler(torch.amp.GradScaler("cpu", init_scale=1e-5))

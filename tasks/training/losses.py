"""What is minimized, for each kind of problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator
from torch import nn
from torch.nn import functional

from tasks.errors import ConfigError
from tasks.preprocessing.targets import LabelsTarget, NumberTarget, Problem, Target
from tasks.training.choice import require_known, with_defaults

_CLASSES: tuple[Problem, ...] = ("binary", "multiclass")
# Problems that a loss can serve. The first loss that serves a problem is its `auto`.
_SERVES: dict[str, tuple[Problem, ...]] = {
    "cross_entropy": _CLASSES,
    "binary_cross_entropy": ("multilabel",),
    "focal": (*_CLASSES, "multilabel"),
    "mse": ("regression",),
    "mae": ("regression",),
    "huber": ("regression",),
    "pinball": ("quantile",),
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "cross_entropy": {"label_smoothing": 0.0},
    "binary_cross_entropy": {"label_smoothing": 0.0, "pos_weight": "none"},
    "focal": {"gamma": 2.0},
    "mse": {},
    "mae": {},
    "huber": {"delta": 1.0},
    "pinball": {},
}

LabelWeights = Literal["none", "balanced"] | dict[str, PositiveFloat]


class LossConfig(BaseModel):
    """`loss: {name: ...}`, or the name alone. An option that a loss does not have is refused.

    Attributes:
        name: `auto` is cross-entropy for classes, binary cross-entropy for labels, the squared error for numbers and
            the pinball loss for quantiles. `focal` (Lin et al., ICCV 2017) weighs what is already right less.
        label_smoothing: Share of the truth that is spread evenly (Szegedy et al., CVPR 2016).
        gamma: How strongly `focal` does that; 0 is cross-entropy.
        delta: Where `huber` turns from squares to absolute errors, in standard deviations of the target.
        pos_weight: What a label that holds weighs more than one that does not: `none`, `balanced` (as often as it
            does not hold for each time that it does) or a number for each named label.
        l1: Weight of the sum of all weights' absolute values, biases apart.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "auto"
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    gamma: NonNegativeFloat | None = None
    delta: PositiveFloat | None = None
    pos_weight: LabelWeights | None = None
    l1: NonNegativeFloat = 0.0

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, Mapping):
            return value
        name = value.get("name", "auto")
        require_known("train.loss.name", name, ("auto", *_SERVES))
        return dict(value) if name == "auto" else with_defaults("train.loss", value, name, _OPTIONS)

    def resolved(self, problem: Problem) -> LossConfig:
        """Return what `auto` means for a problem.

        Raises:
            ConfigError: The loss does not serve the problem, or does not have an option that is given.
        """
        fitting = [name for name, problems in _SERVES.items() if problem in problems]
        if self.name == "auto":
            chosen = {**with_defaults("train.loss", self.model_dump(), fitting[0], _OPTIONS), "name": fitting[0]}
            return self.model_copy(update=chosen)
        if self.name not in fitting:
            raise ConfigError(
                f"train.loss.name: `{self.name}` does not fit a {problem} problem\n"
                f"  do: write `auto`, or one of {', '.join(fitting)}"
            )
        return self


class Loss(nn.Module):
    """Scores and truth in, a scalar out."""

    # Not part of the state: a run that goes on computes them again.
    weight: torch.Tensor | None
    pos_weight: torch.Tensor | None
    levels: torch.Tensor | None

    def __init__(self, config: LossConfig, target: Target, *, truth: torch.Tensor, weight: torch.Tensor | None) -> None:
        """Choose the loss.

        Args:
            config: Which, or `auto`.
            target: What the scores stand for.
            truth: Of the training split, by which labels are balanced.
            weight: Weight of each class, float32 `[C]`; None for the same.

        Raises:
            ConfigError: The loss does not fit the problem, or a name is no label.
        """
        super().__init__()
        self.config = config.resolved(target.problem)
        levels = torch.tensor(target.quantiles) if isinstance(target, NumberTarget) and target.quantiles else None
        positive = _label_weights(self.config.pos_weight, target, truth) if isinstance(target, LabelsTarget) else None
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("pos_weight", positive, persistent=False)
        self.register_buffer("levels", levels, persistent=False)
        self._compute = getattr(self, f"_{self.config.name}")
        self._labels = isinstance(target, LabelsTarget)
        self._numbers = isinstance(target, NumberTarget)

    def forward(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of a batch.

        Args:
            scores: `[N, M, O]`; each of the M members learns for itself.
            truth: `[N]` or, of labels, `[N, L]`; classes may be soft, float32 `[N, C]`.
        """
        if scores.shape[1] > 1:
            truth = truth.repeat_interleave(scores.shape[1], dim=0)
        scores = scores.flatten(0, 1)
        if self._numbers:
            truth = truth[:, None].expand_as(scores)
        loss: torch.Tensor = self._compute(scores.float(), truth)
        return loss

    def _cross_entropy(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        smoothing = self.config.label_smoothing or 0.0
        return functional.cross_entropy(scores, truth, weight=self.weight, label_smoothing=smoothing)

    def _binary_cross_entropy(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        smoothing = self.config.label_smoothing or 0.0
        if smoothing:
            truth = truth * (1.0 - smoothing) + 0.5 * smoothing
        return functional.binary_cross_entropy_with_logits(scores, truth, pos_weight=self.pos_weight)

    def _focal(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        gamma = self.config.gamma or 0.0
        if self._labels:
            losses = functional.binary_cross_entropy_with_logits(scores, truth, reduction="none")
            return (losses * (1.0 - torch.exp(-losses)) ** gamma).mean()
        losses = functional.cross_entropy(scores, truth, reduction="none")
        losses = losses * (1.0 - torch.exp(-losses)) ** gamma
        if self.weight is None:
            return losses.mean()
        weights = truth @ self.weight if truth.is_floating_point() else self.weight[truth]
        return (losses * weights).sum() / weights.sum()

    def _mse(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(scores, truth)

    def _mae(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return functional.l1_loss(scores, truth)

    def _huber(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return functional.huber_loss(scores, truth, delta=self.config.delta or 1.0)

    def _pinball(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        assert self.levels is not None
        error = truth - scores
        return torch.maximum(self.levels * error, (self.levels - 1.0) * error).mean()


def l1_norm(network: nn.Module) -> torch.Tensor:
    """Return the sum of all weights' absolute values, biases apart."""
    weights = [each for name, each in network.named_parameters() if each.requires_grad and not name.endswith("bias")]
    return torch.stack([each.abs().sum() for each in weights]).sum()


def _label_weights(given: LabelWeights | None, target: LabelsTarget, truth: torch.Tensor) -> torch.Tensor | None:
    if given is None or given == "none":
        return None
    if given == "balanced":
        holds = truth.double().sum(dim=0)
        # A label that never holds, or always does, teaches nothing by being weighed.
        weights = torch.where((holds > 0) & (holds < len(truth)), (len(truth) - holds) / holds.clamp(min=1), 1.0)
        return weights.float()
    for name in given:
        require_known("train.loss.pos_weight", name, target.labels)
    return torch.tensor([given.get(name, 1.0) for name in target.labels])

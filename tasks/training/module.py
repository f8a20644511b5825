"""The Lightning module: one network, its moving average, and what is measured of both."""

from __future__ import annotations

import copy
from functools import partial

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch.nn import functional

from tasks.errors import TrainingError
from tasks.evaluation.metrics import selection_metrics
from tasks.training.models.spec import TabularNetwork
from tasks.training.optimization import OptimizerConfig, build_optimizer, learning_rate_factor, move_average
from tasks.training.splits import Batch


class TabularModule(pl.LightningModule):
    """Trains `network` and validates `average`, the moving average of its weights.

    Attributes:
        losses: Training loss of every step of the current round, float32 `[steps per round]`. They are looked at
            once a round: asking for each of them would stop an accelerator at every step.
        metrics: What the last validation measured; classes weigh the same there.
    """

    weights: torch.Tensor | None

    def __init__(
        self,
        network: TabularNetwork,
        config: OptimizerConfig,
        *,
        rounds: int,
        steps_per_round: int,
        weights: torch.Tensor | None = None,
    ) -> None:
        """Take the network.

        Args:
            network: What is trained.
            config: How its weights are moved.
            rounds: Rounds of the whole run, were it never stopped early.
            steps_per_round: Steps of each.
            weights: Weight of each class in the training loss, float32 `[C]`; None for the same.
        """
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(requires_grad=False).eval()
        self.losses = torch.zeros(steps_per_round)
        self.metrics: dict[str, float] = {}
        # Not part of the state: a run that goes on computes them again.
        self.register_buffer("weights", weights, persistent=False)
        self._config = config
        self._total = rounds * steps_per_round
        self._scores: list[torch.Tensor] = []
        self._targets: list[torch.Tensor] = []

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Give Lightning the optimizer and a schedule that moves with every step."""
        optimizer = build_optimizer(self.network, self._config)
        factor = partial(learning_rate_factor, config=self._config, total=self._total)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        """Forget the last round's losses."""
        self.losses = torch.zeros(len(self.losses), device=self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Return the (weighted) mean cross-entropy of a batch."""
        numeric, categorical, target = batch
        loss = functional.cross_entropy(self.network(numeric, categorical), target, weight=self.weights)
        self.losses[batch_idx] = loss.detach()
        return loss

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Move the average after the optimizer's step."""
        move_average(self.average, self.network, step=self.global_step, decay=self._config.average_decay)

    def on_validation_epoch_start(self) -> None:
        """Stop a run whose loss is no longer a number, before anything of this round is kept.

        Raises:
            TrainingError: A loss of this round is not finite.
        """
        lost = torch.nonzero(~torch.isfinite(self.losses))
        if len(lost):
            step = self.global_step - len(self.losses) + int(lost[0]) + 1
            rate = self._config.learning_rate * learning_rate_factor(step - 1, self._config, self._total)
            raise TrainingError(
                f"training: the loss is {float(self.losses[lost[0]])} at step {step}, where the learning rate is "
                f"{rate:.3g} and gradients are cut at {self._config.gradient_norm:g}; the checkpoint of the round "
                "before is kept\n  do: lower optimizer.learning_rate, lengthen optimizer.warmup_steps, or use "
                "precision 32-true"
            )
        self._scores, self._targets = [], []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Score a batch with the averaged weights."""
        numeric, categorical, target = batch
        logits = self.average(numeric, categorical)
        self._scores.append(torch.softmax(logits.double(), dim=1).cpu())
        self._targets.append(target.cpu())

    def on_validation_epoch_end(self) -> None:
        """Measure the whole validation split at once."""
        self.metrics = selection_metrics(torch.cat(self._targets).numpy(), torch.cat(self._scores).numpy())
        self._scores, self._targets = [], []

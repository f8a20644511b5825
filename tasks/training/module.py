"""The Lightning module: one network, its moving average, and what is measured of both."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn

from tasks.metrics.selection import selection_metrics
from tasks.preprocessing.targets import Target
from tasks.training.finite import require_finite_losses, require_finite_scores, require_working_scaler
from tasks.training.losses import Loss, l1_norm
from tasks.training.optimization import OptimizerConfig, averaged_tensors, build_optimizer, move_average
from tasks.training.processes import gathered, said_by_first
from tasks.training.schedules import learning_rate_factor
from tasks.training.sharding import of_one_kind, shard
from tasks.training.splits import Batch

_LOSSES = "headrace_losses"


class NetworkModule(pl.LightningModule):
    """Trains `network` and validates `average`, the moving average of its weights.

    Attributes:
        losses: Training loss of every batch of the current round, float32 `[batches per round]`. They are looked at
            a few times a round: asking for each of them would stop an accelerator at every step.
        metrics: What the last validation measured; classes weigh the same there.
        plateau: By what the schedule `plateau` has lowered the learning rate; `Selection` says it.
        validated: Rows of the validation split where several processes share it; what they have beyond is repeated.
        factors: By what the learning rate of some parameters, by name, is multiplied.
    """

    def __init__(
        self, network: nn.Module, loss: Loss, config: OptimizerConfig, *, target: Target, rounds: int, steps: int
    ) -> None:
        """Take the network.

        Args:
            network: What is trained; see `tasks.models.spec`.
            loss: What is minimized.
            config: How its weights are moved.
            target: What is learned.
            rounds: Rounds of the whole run, were it never stopped early.
            steps: Steps of each.
        """
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(requires_grad=False).eval()
        self.loss = loss
        self.losses = torch.zeros(steps * config.accumulate)
        self.metrics: dict[str, float] = {}
        self.plateau = 1.0
        self.validated: int | None = None
        self.factors: Mapping[str, float] = {}
        self.config = config
        self._target = target
        self._steps = steps
        self._total = rounds * steps
        self._averaged: list[tuple[list[torch.Tensor], list[torch.Tensor]]] = []
        self._scores: list[torch.Tensor] = []
        self._truth: list[torch.Tensor] = []

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        return self.config.rate * self.plateau * learning_rate_factor(step, self.config, self._total)

    def configure_model(self) -> None:
        """Split the weights among the processes, where Lightning's strategy has laid out how."""
        if self.device_mesh is not None:
            shard((self.network, self.average), self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Give Lightning the optimizer; its learning rate is set anew for every step."""
        # Lightning's mixed precisions cut gradients of optimizers that are not fused only.
        fused = self.trainer.precision == "32-true"
        return build_optimizer(self.network, self.config, fused=fused, factors=self.factors)

    def on_train_start(self) -> None:
        """Bring the losses to where the network is."""
        self.losses = self.losses.to(self.device)
        self._averaged = of_one_kind(averaged_tensors(self.average), averaged_tensors(self.network))

    def on_train_epoch_start(self) -> None:
        """Forget the last round's losses."""
        self.losses = torch.zeros(len(self.losses), device=self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Return the loss of a batch."""
        *inputs, truth = batch
        loss: torch.Tensor = self.loss(self.network.training_scores(*inputs), truth)  # type: ignore[operator]
        self.losses[batch_idx] = loss.detach()
        penalty = self.loss.config.l1
        return loss + penalty * l1_norm(self.network) if penalty else loss

    def optimizer_step(
        self,
        epoch: int,
        batch_idx: int,
        optimizer: Any,
        optimizer_closure: Any = None,
    ) -> None:
        """Make a step at the schedule's learning rate, and move the average after it."""
        step = self.global_step
        for group in optimizer.param_groups:
            group["lr"] = self.learning_rate(step) * group["factor"]
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
        if self.config.average_decay:
            for average, current in self._averaged:
                move_average(average, current, step=step + 1, decay=self.config.average_decay)

    def require_finite(self) -> None:
        """Stop a run whose losses are no longer numbers, before anything of them is kept.

        Raises:
            TrainingError: A loss of this round so far is not finite, or a gradient scaler has given up.
        """
        first = self.trainer.current_epoch * self._steps
        precision = self.trainer.precision_plugin
        require_finite_losses(self.losses, first, self.config, self.learning_rate, precision.precision)
        require_working_scaler(getattr(precision, "scaler", None))

    def on_validation_epoch_start(self) -> None:
        """Look at the round's losses."""
        self.require_finite()
        if not self.config.average_decay:
            self.average.load_state_dict(self.network.state_dict())
        self._scores, self._truth = [], []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Score a batch with the averaged weights, in float32 as they will be served."""
        *inputs, truth = batch
        with torch.autocast(self.device.type, enabled=False):
            self._scores.append(self.average(*inputs).double().cpu())
        self._truth.append(truth.cpu())

    def on_validation_epoch_end(self) -> None:
        """Measure the whole validation split at once."""
        scores, truth = (gathered(torch.cat(each))[: self.validated] for each in (self._scores, self._truth))
        require_finite_scores(scores)
        metrics = selection_metrics(truth.numpy(), scores.numpy(), self._target)
        self.metrics = dict(zip(metrics, said_by_first(list(metrics.values())), strict=True))
        self._scores, self._truth = [], []

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the losses of an unfinished round."""
        checkpoint[_LOSSES] = self.losses.cpu()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the losses of an unfinished round."""
        self.losses = checkpoint[_LOSSES]

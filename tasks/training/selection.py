"""Which weights are kept, and when training has gone on for long enough."""

from __future__ import annotations

import copy
from typing import Any

import pytorch_lightning as pl
import torch

from tasks.metrics.table import direction
from tasks.training.module import NetworkModule
from tasks.training.schedules import plateau_factor
from tasks.training.selection_config import SelectionConfig
from tasks.training.sharding import whole


class Selection(pl.Callback):
    """Keeps the best weights and the history, and stops the run.

    Lightning's EarlyStopping forgets that it stopped when the process is killed a moment later; here `finished` is
    part of the checkpoint, so that a rerun does not train one round more.

    Attributes:
        history: One record for each round: `round`, `steps`, `train_loss`, `learning_rate` and the validation metrics.
        weights: The best averaged weights so far.
        best_round: Their round, from 1; 0 before the first.
        finished: Whether no further round is wanted.
    """

    def __init__(self, config: SelectionConfig, rounds: int) -> None:
        """Begin with nothing.

        Args:
            config: With a metric of the problem, no longer `auto`.
            rounds: The most there will be.
        """
        self.config = config
        self.history: list[dict[str, float]] = []
        self.weights: dict[str, torch.Tensor] = {}
        self.best_round = 0
        self.finished = False
        self._rounds = rounds

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Say where the schedule stands, which follows from the history."""
        self._steer(pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Judge the round."""
        assert isinstance(pl_module, NetworkModule)
        number = len(self.history) + 1
        record = {
            "round": number,
            "steps": trainer.global_step,
            "train_loss": float(pl_module.losses.double().mean()),
            "learning_rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
            **pl_module.metrics,
        }
        if self._gains(record):
            self.best_round = number
            self.weights = {name: whole(value).clone() for name, value in pl_module.average.state_dict().items()}
        self.history.append(record)
        self.finished = number == self._rounds or number - self.best_round >= self.config.patience
        trainer.should_stop = self.finished
        self._steer(pl_module)

    def _steer(self, module: pl.LightningModule) -> None:
        assert isinstance(module, NetworkModule)
        metric = self.config.metric
        values = [record[metric] for record in self.history]
        module.plateau = plateau_factor(values, module.config, greater_is_better=direction(metric) > 0)

    def _gains(self, record: dict[str, float]) -> bool:
        if not self.best_round:
            return True
        metric = self.config.metric
        gain = record[metric] - self.history[self.best_round - 1][metric]
        return direction(metric) * gain > self.config.least_gain

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must hold."""
        return {
            "history": copy.deepcopy(self.history),
            "weights": self.weights,
            "best_round": self.best_round,
            "finished": self.finished,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where a checkpoint was written."""
        self.history = list(state_dict["history"])
        self.weights = dict(state_dict["weights"])
        self.best_round = int(state_dict["best_round"])
        self.finished = bool(state_dict["finished"])

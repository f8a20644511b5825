"""Train a network, or go on training it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import ValidationError
from safetensors.torch import save
from torch import nn

from tasks.errors import IntegrityError
from tasks.models.checkpoint import WEIGHTS, ModelDescription, write_model
from tasks.models.registry import NetworkConfig, build_network
from tasks.models.spec import spec_of
from tasks.preprocessing.constants import Preprocessing
from tasks.progress import progress
from tasks.references import CheckpointRef
from tasks.storage import digest_of, write_atomic
from tasks.training.batches import Drawing, RoundLoader, Share, SliceLoader, share_of
from tasks.training.class_weights import class_weights
from tasks.training.config import TrainConfig
from tasks.training.job import Material, TrainJob, run_folder
from tasks.training.learning_rate import RANGE_STEPS, RangeTest, range_test
from tasks.training.logs import open_logs
from tasks.training.losses import Loss
from tasks.training.module import NetworkModule
from tasks.training.on_the_fly import Augment, balanced_pass, batch_change
from tasks.training.random_state import RandomState
from tasks.training.randomness import reproducible
from tasks.training.ranks import train_in_ranks
from tasks.training.recovery import RoundCheckpoint, batches_seen, latest_checkpoint
from tasks.training.requirements import require_fitting
from tasks.training.selection import Selection
from tasks.training.together import Together
from tasks.training.trainer import build_trainer, fit, naming_full_device
from tasks.training.transfer import take_weights
from tasks.training.watching import Watch

RANGE_TEST = "learning_rate.json"

_WHOLE = Share()

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedNetwork:
    """What training has brought.

    Attributes:
        weights: Of the best round.
        history: See `Selection.history`.
        best_round: From 1.
        range_test: How the learning rate was found, where it was `auto`.
    """

    weights: Mapping[str, torch.Tensor]
    history: Sequence[Mapping[str, float]]
    best_round: int
    range_test: RangeTest | None


def train_network(job: TrainJob) -> CheckpointRef:
    """Train a network and keep the weights of its best round; see `tasks.training.train.run_train`."""
    return train_in_ranks(job) if job.config.machine.processes > 1 else _kept(job, *_fitted(job, _WHOLE))


def train_share(job: TrainJob, share: Share) -> CheckpointRef | None:
    """Train in one of the processes that do it together; the first one keeps the weights."""
    material, trained = _fitted(job, share)
    return _kept(job, material, trained) if share.rank == 0 else None


def _fitted(job: TrainJob, share: Share) -> tuple[Material, TrainedNetwork]:
    material = job.material()
    return material, fit_network(material, job.config, job.augment, job.work, share)


def _kept(job: TrainJob, material: Material, trained: TrainedNetwork) -> CheckpointRef:
    description = _described(material.fitted, job.config, trained.best_round)
    files = {WEIGHTS: save({name: value.contiguous() for name, value in trained.weights.items()})}
    if trained.range_test is not None:
        files[RANGE_TEST] = trained.range_test.model_dump_json(indent=2).encode()
    return write_model(job.home, description, files, trained.history)


def _described(fitted: Preprocessing, config: TrainConfig, best_round: int) -> ModelDescription:
    return ModelDescription(
        model=config.model,
        features=spec_of(fitted),
        target=fitted.target,
        best_round=best_round,
        training=config.digest,
        vocabularies={feature.name: digest_of(list(feature.vocabulary)) for feature in fitted.categorical},
    )


def fit_network(
    material: Material, config: TrainConfig, augment: Augment, work: Path, share: Share = _WHOLE
) -> TrainedNetwork:
    """Train on data in memory until the selection has finished.

    Args:
        material: What to learn from and to be judged by.
        config: How to train.
        augment: What is done to batches.
        work: A folder that survives a kill; training goes on from what it left there.
        share: This process's part of every batch and of the validation split.

    Raises:
        ConfigError: The config asks for what the problem, the data or the machine cannot give.
        TrainingError: A loss is not finite, or a GPU has too little memory.
        IntegrityError: The checkpoints in `work` cannot be read.
    """
    run = _Run(material, config, augment, work, share)
    found = latest_checkpoint(run.folder, run.folder.name)
    if found is not None:
        run.selection.load_state_dict(found[1]["callbacks"][run.selection.state_key])
        run.loader.skip(batches_seen(found[1]))
        _logger.info("training   goes on after step %d of at most %d", found[1]["global_step"], run.steps)
    tested = run.range_test() if config.optimizer.learning_rate == "auto" else None
    if not run.selection.finished:
        run.train(found, tested)
    selection = run.selection
    return TrainedNetwork(selection.weights, selection.history, selection.best_round, tested)


class _Run:
    """The pieces of one training, fitted to each other."""

    def __init__(self, material: Material, config: TrainConfig, augment: Augment, work: Path, share: Share) -> None:
        assert share.world == config.machine.processes
        train, fitted = material.train, material.fitted
        self.config = config
        self._share = share
        self.target = fitted.target
        require_fitting(config, self.target.problem)
        self._device = config.machine.device()
        weights = None
        if config.class_weights != "none":
            weights = class_weights(config.class_weights, train.target, fitted.class_target)
        self._loss = Loss(config.loss, self.target, truth=train.target, weight=weights)
        drawing = Drawing(
            batch_size=config.batch_size,
            batches=config.steps_per_round * config.optimizer.accumulate,
            seed=config.seed,
            balanced=balanced_pass(train, augment, fitted),
            change=batch_change(train, augment, fitted, seed=config.seed, device=self._device),
            share=share,
        )
        self.loader = RoundLoader(train, drawing)
        self._trial = RoundLoader(train, replace(drawing, batches=RANGE_STEPS, share=_WHOLE))
        self._spec = spec_of(fitted)
        self._described = _described(fitted, config, best_round=0)
        self._validated = len(material.validation)
        self._validation = SliceLoader(share_of(material.validation, share), batch_size=self._spec.at_once)
        self.steps = config.rounds * config.steps_per_round
        self.selection = Selection(config.selection.resolved(self.target.problem), config.rounds)
        self.folder = run_folder(work, material, config, augment)

    def range_test(self) -> RangeTest:
        """Find the learning rate, once for all that go on with this run."""
        path = self.folder / RANGE_TEST
        if path.exists():
            try:
                return RangeTest.model_validate_json(path.read_bytes())
            except ValidationError as error:
                raise IntegrityError(
                    f"{path}: not the outcome of a range test\n  do: remove the file; the test is made again"
                ) from error
        with self._computing():
            batches = (tuple(each.to(self._device) for each in batch) for batch in self._trial)
            loss = copy.deepcopy(self._loss).to(self._device)
            tested = range_test(self._network()[0].to(self._device), loss, self.config.optimizer, batches)
        write_atomic(path, tested.model_dump_json().encode())
        _logger.info("training   learning rate %g, found by a range test", tested.chosen)
        return tested

    def train(self, found: tuple[Path, dict[str, Any]] | None, tested: RangeTest | None) -> None:
        """Train from a checkpoint, or from the beginning."""
        config = self.config
        optimizer = config.optimizer
        if tested is not None:
            optimizer = optimizer.model_copy(update={"learning_rate": tested.chosen})
        made = 0 if found is None else int(found[1]["global_step"])
        with self._computing(), progress("training", self.steps, "steps") as advance:
            network, factors = self._network()
            module = NetworkModule(
                network,
                self._loss,
                optimizer,
                target=self.target,
                rounds=config.rounds,
                steps=config.steps_per_round,
            )
            module.factors, module.validated = factors, self._validated
            advance(made)
            callbacks = self._callbacks(advance, made)
            trainer = build_trainer(config.machine, optimizer, rounds=config.rounds, callbacks=callbacks)
            fit(trainer, module, (self.loader, self._validation), resume=None if found is None else str(found[0]))

    def _callbacks(self, advance: Callable[[int], None], made: int) -> list[Any]:
        config = self.config
        callbacks: list[Any] = [self.selection]
        if self._share.rank == 0:
            logs = open_logs(config.logs, self.folder, made)
            callbacks.append(Watch(advance, self.selection, logs, config.logs.every))
            if logs:
                _logger.info("training   logs in %s", self.folder)
        alone = self._share.world == 1
        callbacks.append(RandomState() if alone else Together(config.seed))
        return [*callbacks, RoundCheckpoint(self.folder, self.folder.name, config.checkpoint_steps)]

    @contextmanager
    def _computing(self) -> Iterator[None]:
        machine = self.config.machine
        accumulate = self.config.optimizer.accumulate
        with (
            reproducible(self.config.seed, machine.thread_count()),
            naming_full_device(self.config.batch_size, accumulate),
        ):
            yield

    def _network(self) -> tuple[nn.Module, Mapping[str, float]]:
        """Return the network that training begins with, and what multiplies the learning rate of its parameters."""
        network: nn.Module = build_network(cast("NetworkConfig", self.config.model), self._spec)
        start = self.config.start_from
        return network, {} if start is None else take_weights(network, start, self._described)

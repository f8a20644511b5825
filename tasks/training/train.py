"""Train a network on a features dataset; a run that is killed goes on where it was, to the same weights."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from tasks.augmentation.config import AugmentConfig
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.progress import progress
from tasks.references import CheckpointRef, DatasetRef, PreprocessingRef
from tasks.storage import digest_of
from tasks.training.batches import RoundLoader, SliceLoader
from tasks.training.checkpoint import NetworkDescription, write_checkpoint
from tasks.training.class_weights import ClassWeights, class_weights
from tasks.training.models.mlp_ple import MlpPleConfig
from tasks.training.models.registry import NetworkConfig, build_network
from tasks.training.models.spec import FeatureSpec
from tasks.training.module import TabularModule
from tasks.training.on_the_fly import balanced_pass, batch_noise
from tasks.training.optimization import OptimizerConfig
from tasks.training.randomness import RandomState, reproducible
from tasks.training.recovery import RoundCheckpoint, latest_checkpoint
from tasks.training.selection import Selection, SelectionConfig
from tasks.training.splits import read_split, require_trainable
from tasks.training.trainer import MachineConfig, StepProgress, build_trainer, fit

_VALIDATION_BATCH = 8192
_PROGRESS_PORTION = 10
_NOTHING = AugmentConfig()

_logger = logging.getLogger(__name__)


class TrainConfig(BaseModel):
    """How a network is trained.

    Attributes:
        network: Which, and its settings; `name` chooses.
        seed: Decides the first weights, the order of the data and what dropout drops.
        batch_size: Rows of a batch.
        steps_per_round: Steps between two validations and checkpoints.
        rounds: The most there will be; the learning rate's schedule is laid over all of them.
        optimizer: How weights are moved.
        selection: Which weights are kept, and when it is enough.
        machine: Accelerator, precision, threads.
        class_weights: Weights of the classes in the training loss: `none`, `balanced` by how often each occurs, or a
            weight for each named class. What is measured and selected by is never weighted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: NetworkConfig = MlpPleConfig()
    seed: NonNegativeInt = 0
    batch_size: PositiveInt = 1024
    steps_per_round: PositiveInt = 100
    rounds: PositiveInt = 20
    optimizer: OptimizerConfig = OptimizerConfig()
    selection: SelectionConfig = SelectionConfig()
    machine: MachineConfig = MachineConfig()
    class_weights: ClassWeights = "none"


def run_train(
    features: DatasetRef,
    preprocessing: PreprocessingRef,
    config: TrainConfig,
    home: Path,
    work: Path,
    augment: AugmentConfig = _NOTHING,
) -> CheckpointRef:
    """Train a network and keep the weights of its best round.

    Args:
        features: A features dataset with a training and a validation split.
        preprocessing: What made it.
        config: How to train.
        home: The checkpoint folder is written under `home/checkpoints`.
        work: A folder that survives a kill. Called again with the same arguments, training goes on from the last
            whole round there. Runs with other arguments may share it.
        augment: What is done to batches, with `when: batch`.

    Raises:
        ConfigError: A class that the config names is not in the training split, or cannot have its share.
        TrainingError: No feature, an empty split, one class in the target, or a loss that is not finite.
        IntegrityError: The checkpoints in `work` cannot be read.
    """
    fitted = read_preprocessing(preprocessing)
    train, validation = read_split(features, preprocessing, "train"), read_split(features, preprocessing, "validation")
    require_trainable(train, fitted)
    asked = augment.for_training
    loaders = (
        RoundLoader(
            train,
            batch_size=config.batch_size,
            steps=config.steps_per_round,
            seed=config.seed,
            balanced=balanced_pass(train, asked, fitted),
            noise=batch_noise(train, asked, fitted),
        ),
        SliceLoader(validation, batch_size=_VALIDATION_BATCH),
    )
    weights = class_weights(config.class_weights, train.target, fitted.target)
    folder = _run_folder(features, fitted, config, asked, work)
    with reproducible(config.seed, config.machine.thread_count()):
        selection = _select(loaders, FeatureSpec.of(fitted), weights, config, folder)
    description = NetworkDescription(
        network=config.network,
        features=FeatureSpec.of(fitted),
        classes=fitted.target.classes,
        best_round=selection.best_round,
        training=digest_of(config.model_dump(mode="json")),
    )
    return write_checkpoint(home, description, selection.weights, selection.history)


def _run_folder(
    features: DatasetRef, fitted: Preprocessing, config: TrainConfig, augment: AugmentConfig, work: Path
) -> Path:
    # Another number of threads or another torch sums in another order, so it may not continue the same run.
    identity = digest_of(
        {
            "features": features.digest,
            "preprocessing": fitted.model_dump(mode="json"),
            "config": config.model_dump(mode="json"),
            "augment": augment.model_dump(mode="json"),
            "threads": config.machine.thread_count(),
            "torch": torch.__version__,
        }
    )
    folder = work / identity[:32]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _select(
    loaders: tuple[RoundLoader, SliceLoader],
    spec: FeatureSpec,
    weights: torch.Tensor | None,
    config: TrainConfig,
    folder: Path,
) -> Selection:
    """Train, or go on training, until the selection has finished."""
    selection = Selection(config.selection, config.rounds)
    found = latest_checkpoint(folder, folder.name)
    if found is not None:
        selection.load_state_dict(found[1]["callbacks"][selection.state_key])
        _logger.info("training   goes on after round %d of at most %d", len(selection.history), config.rounds)
    if selection.finished:
        return selection
    steps = config.steps_per_round
    module = TabularModule(
        build_network(config.network, spec),
        config.optimizer,
        rounds=config.rounds,
        steps_per_round=steps,
        weights=weights,
    )
    with progress("training", config.rounds * steps, "steps") as advance:
        advance(len(selection.history) * steps)
        callbacks: list[Any] = [
            StepProgress(partial(advance), min(_PROGRESS_PORTION, steps)),
            selection,
            RandomState(),
            RoundCheckpoint(folder, folder.name),
        ]
        trainer = build_trainer(config.machine, config.optimizer, rounds=config.rounds, callbacks=callbacks)
        fit(trainer, module, loaders, resume=None if found is None else str(found[0]))
    return selection

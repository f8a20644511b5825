"""Train a model on a features dataset; a run that is killed goes on where it was, to the same result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tasks.augmentation.config import AugmentConfig
from tasks.references import CheckpointRef, DatasetRef, PreprocessingRef
from tasks.training.config import TrainConfig
from tasks.training.fit_auto import train_auto
from tasks.training.fit_blend import train_blend
from tasks.training.fit_trees import train_trees
from tasks.training.job import TrainJob
from tasks.training.on_the_fly import Augment
from tasks.training.requirements import possible

__all__ = ["TrainConfig", "run_train", "train"]

_NOTHING = AugmentConfig()

# Who fits a model, by the model's name. A name that is not here is a network's.
_TRAINERS: dict[str, Callable[[TrainJob], CheckpointRef]] = {
    "trees": train_trees,
    "blend": lambda job: train_blend(job, train),
    "auto": lambda job: train_auto(job, train),
}


def run_train(
    features: DatasetRef,
    preprocessing: PreprocessingRef,
    config: TrainConfig,
    home: Path,
    work: Path,
    augment: Augment = _NOTHING,
) -> CheckpointRef:
    """Train the model that the config names, and keep the best that it becomes.

    Args:
        features: A features dataset with a training and a validation split.
        preprocessing: What made it.
        config: How to train.
        home: The checkpoint folder is written under `home/checkpoints`.
        work: A folder that survives a kill. Called again with the same arguments, training goes on from what it
            left there. Runs with other arguments may share it.
        augment: What is done to batches: of tables with `when: batch`, of images all of it.

    Raises:
        ConfigError: The config asks for what the data, the problem, the machine or the checkpoint to start from
            cannot give.
        TrainingError: No feature, an empty split, one class in the target, or a loss that is not finite.
        IntegrityError: What an earlier run left in `work` cannot be read.
    """
    return train(TrainJob(features, preprocessing, possible(config, home), home, work, augment.for_training))


def train(job: TrainJob) -> CheckpointRef:
    """Hand a job to whoever fits its kind of model; see `run_train`."""
    own = _TRAINERS.get(job.config.model.name)
    if own is not None:
        return own(job)
    # Lightning takes seconds to import; a run that reuses its checkpoint does not need it.
    from tasks.training.train_network import train_network  # noqa: PLC0415

    return train_network(job)

"""Train a blend: its members one after the other, then their weights."""

from __future__ import annotations

import logging

import numpy as np

from tasks.metrics.selection import selection_metrics
from tasks.models.blend import mix
from tasks.models.checkpoint import ModelDescription, checkpoint_files, load_predictor, member_path, write_model
from tasks.models.config import BlendConfig
from tasks.models.predictor import Floats
from tasks.models.spec import FeatureSpec
from tasks.references import CheckpointRef
from tasks.training.ensemble_selection import ensemble_weights
from tasks.training.job import Material, TrainJob, run_folder
from tasks.training.members import Trainer, as_member, trained_once
from tasks.training.randomness import reproducible
from tasks.training.splits import SplitTensors

_logger = logging.getLogger(__name__)


def train_blend(job: TrainJob, train: Trainer) -> CheckpointRef:
    """Train every member, or go on with those that an earlier run did not finish, and weigh them.

    Args:
        job: Its model is a blend.
        train: Who trains a member.

    Raises:
        ConfigError: A member cannot do what the config asks for.
        TrainingError: A member's training fails, or the data cannot be learned from.
    """
    model = job.config.model
    assert isinstance(model, BlendConfig)
    material = job.material()
    folder = run_folder(job.work, material, job.config, job.augment)
    members = []
    for index, member in enumerate(model.members):
        _logger.info("blend      member %d of %d: %s", index + 1, len(model.members), member.name)
        done = trained_once(as_member(job, member, folder), folder / f"member-{index}.json", train)
        members.append(done.checkpoint)
    scores = np.stack([scores_of(member, material.validation, job) for member in members])
    truth, target = material.validation.target.numpy(), material.fitted.target
    if model.weights == "auto":
        weights = ensemble_weights(scores, truth, target)
    else:
        weights = np.array(model.weights) / sum(model.weights)
    metrics = selection_metrics(truth, mix(scores, weights, target), target)
    said = (f"{member.name} {weight:.2f}" for member, weight in zip(model.members, weights, strict=True))
    _logger.info("blend      weights: %s", ", ".join(said))
    return _write(job, material, model, (members, weights, metrics))


def scores_of(checkpoint: CheckpointRef, split: SplitTensors, job: TrainJob) -> Floats:
    """Return a trained model's scores of a split, float64 `[N, O]`."""
    with reproducible(job.config.seed, job.config.machine.thread_count()):
        return load_predictor(checkpoint).scores(*(each.numpy() for each in split.inputs))


def _write(
    job: TrainJob,
    material: Material,
    model: BlendConfig,
    found: tuple[list[CheckpointRef], Floats, dict[str, float]],
) -> CheckpointRef:
    checkpoints, weights, metrics = found
    kept = [index for index, weight in enumerate(weights) if weight > 0]
    description = ModelDescription(
        model=BlendConfig(
            members=tuple(model.members[index] for index in kept),
            weights=tuple(float(weights[index]) for index in kept),
        ),
        features=FeatureSpec.of(material.fitted),
        target=material.fitted.target,
        best_round=1,
        training=job.config.digest,
    )
    files = {
        f"{member_path(place)}/{path}": content
        for place, index in enumerate(kept)
        for path, content in checkpoint_files(checkpoints[index]).items()
    }
    return write_model(job.home, description, files, [{"round": 1, "steps": 1, **metrics}])

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tasks.errors import IntegrityError, TrainingError
from tasks.metrics.selection import metrics_of
from tasks.models.checkpoint import load_predictor, read_description, read_history
from tasks.models.config import BlendConfig
from tasks.references import CheckpointRef
from tasks.training.fit_blend import train_blend
from tasks.training.job import TrainJob
from tasks.training.train import train
from tests.tasks.training.small_jobs import LINEAR, MLP, TARGETS, TREES, small_job

BLEND = BlendConfig(members=(TREES, LINEAR, MLP))


@pytest.mark.parametrize("problem", TARGETS)
def test_the_weighted_mean_is_no_worse_than_its_members(problem: str, tmp_path: Path) -> None:
    job = small_job(tmp_path, problem, BlendConfig(members=(TREES, LINEAR)))
    checkpoint = train_blend(job, train)
    description = read_description(checkpoint)
    assert isinstance(description.model, BlendConfig)
    assert sum(description.model.weights) == pytest.approx(1.0)  # type: ignore[arg-type]
    metric = metrics_of(TARGETS[problem].problem)[0]
    alone = read_history(train(small_job(tmp_path / "alone", problem, TREES)))
    (record,) = read_history(checkpoint)
    assert record[metric] <= min(each[metric] for each in alone) + 1e-9
    inputs = [each.numpy() for each in job.data.validation.inputs]
    assert np.isfinite(load_predictor(checkpoint).scores(*inputs)).all()


def test_given_weights_are_kept_and_members_without_any_are_left_out(tmp_path: Path) -> None:
    model = BLEND.model_copy(update={"weights": (6.0, 0.0, 2.0)})
    job = small_job(tmp_path, "multiclass", model)
    checkpoint = train_blend(job, train)
    assert read_description(checkpoint).model == BlendConfig(members=(TREES, MLP), weights=(0.75, 0.25))
    assert sorted(path.name for path in (checkpoint.folder / "members").iterdir()) == ["0", "1"]


def test_a_killed_blend_goes_on_with_the_member_that_was_not_finished(tmp_path: Path) -> None:
    model = BLEND.model_copy(update={"weights": (1.0, 1.0, 1.0)})
    expected = train_blend(small_job(tmp_path / "whole", "binary", model), train)
    trained: list[str] = []

    def killed_at_the_second(job: TrainJob) -> CheckpointRef:
        trained.append(job.config.model.name)
        if trained == ["trees", "linear"]:
            raise TrainingError("killed")
        return train(job)

    job = small_job(tmp_path / "killed", "binary", model)
    with pytest.raises(TrainingError, match="killed"):
        train_blend(job, killed_at_the_second)
    assert train_blend(job, killed_at_the_second).digest == expected.digest
    assert trained == ["trees", "linear", "linear", "mlp"]


def test_a_member_that_is_gone_is_trained_again_and_a_torn_blend_is_named(tmp_path: Path) -> None:
    job = small_job(tmp_path, "binary", BLEND.model_copy(update={"weights": (1.0, 1.0, 1.0)}))
    checkpoint = train_blend(job, train)
    for folder in job.work.glob("*/checkpoints"):
        shutil.rmtree(folder)
    assert train_blend(job, train).digest == checkpoint.digest
    (checkpoint.folder / "members/1/network.safetensors").write_bytes(b"torn")
    with pytest.raises(IntegrityError, match=r"members/1/network\.safetensors: not a whole checkpoint"):
        load_predictor(checkpoint)

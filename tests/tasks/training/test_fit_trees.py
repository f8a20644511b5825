from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError, IntegrityError
from tasks.metrics.selection import metrics_of, selection_metrics
from tasks.models.checkpoint import load_predictor, read_description, read_history
from tasks.models.trees import TREES as FILE
from tasks.training.fit_trees import require_growable, train_trees
from tests.tasks.training.small_jobs import TARGETS, TREES, small_job


@pytest.mark.parametrize("problem", TARGETS)
def test_every_problem_is_learned_and_read_back(problem: str, tmp_path: Path) -> None:
    job = small_job(tmp_path, problem, TREES)
    checkpoint = train_trees(job)
    description, history = read_description(checkpoint), read_history(checkpoint)
    assert description.model == TREES
    assert description.training == job.config.digest
    split, target = job.data.validation, TARGETS[problem]
    scores = load_predictor(checkpoint).scores(*(each.numpy() for each in split.inputs))
    assert scores.shape == (len(split), target.outputs)
    metric = metrics_of(target.problem)[0]
    measured = selection_metrics(split.target.numpy(), scores, target)[metric]
    best = history[description.best_round - 1]
    assert best["steps"] == 10 * best["round"]
    if problem in {"binary", "multiclass", "regression"}:
        assert measured == pytest.approx(best[metric])
    nothing = selection_metrics(split.target.numpy(), np.zeros_like(scores), target)[metric]
    assert measured < 0.8 * nothing


def test_the_same_on_any_number_of_threads(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"seed": 5}
    drawing = TREES.model_copy(update={"feature_share": 0.7, "row_share": 0.7, "rounds": 10})
    files = []
    for threads in (1, 2):
        job = small_job(tmp_path / str(threads), "binary", drawing, **changes)
        config = job.config.model_copy(update={"machine": job.config.machine.model_copy(update={"threads": threads})})
        checkpoint = train_trees(job.__class__(**{**job.__dict__, "config": config}))
        files.append((checkpoint.folder / FILE).read_bytes())
    assert files[0] == files[1]
    other = train_trees(small_job(tmp_path / "other", "binary", drawing, seed=6))
    assert (other.folder / FILE).read_bytes() != files[0]


def test_growing_stops_when_the_validation_split_no_longer_gains(tmp_path: Path) -> None:
    eager = TREES.model_copy(update={"rounds": 400, "learning_rate": 0.9, "patience": 30})
    checkpoint = train_trees(small_job(tmp_path, "binary", eager))
    history, best = read_history(checkpoint), read_description(checkpoint).best_round
    assert history[-1]["steps"] == history[best - 1]["steps"] + 30
    losses = [record["log_loss"] for record in history]
    assert losses[best - 1] == min(losses)
    assert history[-1]["train_loss"] < history[0]["train_loss"]


def test_the_selection_metric_decides(tmp_path: Path) -> None:
    eager = TREES.model_copy(update={"rounds": 100, "learning_rate": 0.9})
    checkpoint = train_trees(small_job(tmp_path, "binary", eager, selection={"metric": "roc_auc"}))
    areas = [record["roc_auc"] for record in read_history(checkpoint)]
    assert areas[read_description(checkpoint).best_round - 1] == max(areas)


def test_class_weights_move_the_scores(tmp_path: Path) -> None:
    plain = load_predictor(train_trees(small_job(tmp_path / "a", "binary", TREES)))
    weighted = load_predictor(train_trees(small_job(tmp_path / "b", "binary", TREES, class_weights={"true": 5.0})))
    inputs = [each.numpy() for each in small_job(tmp_path, "binary", TREES).data.validation.inputs]
    assert weighted.scores(*inputs)[:, 1].mean() > plain.scores(*inputs)[:, 1].mean() + 0.3


def test_a_label_that_never_changes_in_validation_is_no_obstacle(tmp_path: Path) -> None:
    job = small_job(tmp_path, "multilabel", TREES)
    job.data.validation.target[:, 1] = 0
    assert np.isfinite([record["log_loss"] for record in read_history(train_trees(job))]).all()


@pytest.mark.parametrize(
    ("changes", "augment", "message"),
    [
        ({"loss": {"name": "focal"}}, {}, "train.loss: `focal` is a loss of networks"),
        ({}, {"when": "batch", "noise": {"share": 0.1}}, "augment.when: `batch` changes the batches of a network"),
        ({"selection": {"metric": "rmse"}}, {}, "`rmse` does not fit a binary problem"),
    ],
)
def test_what_trees_cannot_do_is_refused(
    changes: dict[str, Any], augment: dict[str, Any], message: str, tmp_path: Path
) -> None:
    config = small_job(tmp_path, "binary", TREES, **changes).config
    with pytest.raises(ConfigError, match=message):
        require_growable(config, "binary", AugmentConfig.model_validate(augment).for_training)


@pytest.mark.parametrize("content", [b"", b"{", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_torn_file_is_named(content: bytes, tmp_path: Path) -> None:
    checkpoint = train_trees(small_job(tmp_path, "regression", TREES))
    (checkpoint.folder / FILE).write_bytes(content)
    with pytest.raises(IntegrityError, match=r"trees\.safetensors: not a whole checkpoint"):
        load_predictor(checkpoint)


def test_scoring_takes_the_threads_that_torch_may_take(tmp_path: Path) -> None:
    predictor = load_predictor(train_trees(small_job(tmp_path, "binary", TREES)))
    numeric, codes = torch.randn(50, 2).numpy(), np.zeros((50, 1), np.int64)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = predictor.scores(numeric, codes)
        torch.set_num_threads(2)
        np.testing.assert_array_equal(predictor.scores(numeric, codes), alone)
    finally:
        torch.set_num_threads(threads)

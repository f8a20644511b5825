from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError, TrainingError
from tasks.models.checkpoint import load_predictor, read_description
from tasks.models.config import AutoConfig, BlendConfig
from tasks.references import CheckpointRef
from tasks.training.candidates import default_candidates, described, estimated_seconds, require_members
from tasks.training.fit_auto import Trial, _expected, _slowness, train_auto
from tasks.training.job import TrainJob
from tasks.training.train import train
from tests.tasks.training.small_jobs import LINEAR, MLP, TARGETS, TREES, small_job

AUTO = AutoConfig(candidates=(LINEAR, TREES), folds=2)


def _told(checkpoint: CheckpointRef) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((checkpoint.folder / "auto.json").read_bytes())
    return told


@pytest.mark.parametrize("problem", ["binary", "multilabel", "quantile"])
def test_the_better_candidate_is_chosen_and_the_table_says_why(problem: str, tmp_path: Path) -> None:
    job = small_job(tmp_path, problem, AUTO)
    checkpoint = train_auto(job, train)
    told = _told(checkpoint)
    linear, trees = told["candidates"]
    assert trees["loss"] < linear["loss"]
    assert trees["weight"] >= 0.9
    assert trees["verdict"].startswith("chosen")
    assert trees["name"] in told["why"]
    scores = load_predictor(checkpoint).scores(*(each.numpy() for each in job.data.validation.inputs))
    assert scores.shape == (100, TARGETS[problem].outputs)


def test_candidates_that_help_each_other_are_blended(tmp_path: Path) -> None:
    noisy = TREES.model_copy(update={"row_share": 0.3, "leaves": 12, "min_rows": 3})
    other = noisy.model_copy(update={"feature_share": 0.4})
    checkpoint = train_auto(
        small_job(tmp_path, "regression", AUTO.model_copy(update={"candidates": (noisy, other)})), train
    )
    told = _told(checkpoint)
    weights = [each["weight"] for each in told["candidates"]]
    assert sum(weights) == pytest.approx(1.0)
    assert told["why"].startswith("a blend: loss ")
    model = read_description(checkpoint).model
    assert isinstance(model, BlendConfig)
    assert model.members == (noisy, other)
    assert model.weights == pytest.approx(weights, abs=1e-5)


def test_a_budget_leaves_out_what_does_not_fit(tmp_path: Path) -> None:
    job = small_job(tmp_path, "binary", AUTO.model_copy(update={"candidates": (TREES, MLP), "cpu_minutes": 0.001}))
    checkpoint = train_auto(job, train)
    trees, mlp = _told(checkpoint)["candidates"]
    assert trees["verdict"] == "chosen"
    assert mlp["verdict"] == "left out: the budget has no room for it"
    assert "loss" not in mlp
    assert read_description(checkpoint).model == TREES


def test_a_killed_search_goes_on_where_it_was_to_the_same_bytes(tmp_path: Path) -> None:
    expected = train_auto(small_job(tmp_path / "whole", "multiclass", AUTO), train)
    trained: list[str] = []

    def killed_at_the_third(job: TrainJob) -> CheckpointRef:
        trained.append(job.config.model.name)
        if len(trained) == 3:
            raise TrainingError("killed")
        return train(job)

    job = small_job(tmp_path / "killed", "multiclass", AUTO)
    with pytest.raises(TrainingError, match="killed"):
        train_auto(job, killed_at_the_third)
    assert train_auto(job, killed_at_the_third).digest == expected.digest
    assert trained[:5] == ["linear", "linear", "trees", "trees", "trees"]


def test_no_fold_is_predicted_by_a_model_that_saw_it(tmp_path: Path) -> None:
    job = small_job(tmp_path, "binary", AUTO.model_copy(update={"candidates": (TREES,), "folds": 3}))
    seen: list[np.ndarray] = []

    def watched(one: TrainJob) -> CheckpointRef:
        seen.append(one.material().train.numeric.numpy())
        return train(one)

    train_auto(job, watched)
    whole = {row.tobytes() for row in job.data.train.numeric.numpy()}
    parts = [{row.tobytes() for row in rows} for rows in seen]
    held_out = [whole - part for part in parts[:3]]
    assert [len(rows) for rows in held_out] == [100, 100, 100]
    assert set.union(*held_out) == whole
    assert parts[3] == whole


@pytest.mark.parametrize("rows", [100, 100_000])
@pytest.mark.parametrize("problem", TARGETS)
def test_default_candidates_cost_something_and_are_told_apart(problem: str, rows: int, tmp_path: Path) -> None:
    job = small_job(tmp_path, problem, AUTO)
    models = default_candidates(rows)
    costs = [estimated_seconds(model, job.config, job.data) for model in models]
    assert all(0 < cost < 1000 for cost in costs)
    assert len({described(model) for model in models}) == len(models)
    assert isinstance(models, tuple)
    assert not any(isinstance(model, BlendConfig) for model in models)


@pytest.mark.parametrize(
    ("model", "refused"),
    [
        ("auto", True),
        ({"name": "auto", "candidates": ["linear", "mlp"]}, False),
        ({"name": "blend", "members": ["linear", "trees"]}, True),
        ("trees", True),
        ("mlp", False),
    ],
)
def test_what_trees_cannot_do_is_refused_wherever_they_stand(model: Any, refused: bool, tmp_path: Path) -> None:
    config = small_job(tmp_path, "binary", model, loss={"name": "focal"}).config
    if not refused:
        require_members(config, "binary", AugmentConfig(), ())
        return
    with pytest.raises(ConfigError, match="`focal` is a loss of networks"):
        require_members(config, "binary", AugmentConfig(), ())


def test_a_group_that_is_not_carried_is_refused_before_anything_runs(tmp_path: Path) -> None:
    config = small_job(tmp_path, "binary", AUTO.model_copy(update={"group": "day"})).config
    require_members(config, "binary", AugmentConfig(), ("id", "day"))
    with pytest.raises(ConfigError, match=r"does not carry `day`; it carries id\n  do: add it to preprocess\.keep"):
        require_members(config, "binary", AugmentConfig(), ("id",))


def test_what_stopped_early_frees_the_rest_of_its_estimate() -> None:
    trial = Trial(TREES, estimated=10.0, losses=(0.5, 0.5), shares=(0.2, 0.4))
    assert trial.folds_seconds == pytest.approx(6.0)
    # The last training may go on for a quarter longer than the longest of the folds.
    assert trial.seconds == pytest.approx(6.0 + 5.0)
    assert replace(trial, shares=(1.0, 1.0)).seconds == pytest.approx(30.0)
    assert Trial(TREES, estimated=10.0, left_out="no room").seconds == 0.0


def test_a_candidate_is_tried_on_as_many_folds_as_there_is_room_for(tmp_path: Path) -> None:
    model = AUTO.model_copy(update={"candidates": (LINEAR, TREES), "folds": 4})
    job = small_job(tmp_path, "binary", model)
    linear, trees = (estimated_seconds(each, job.config, job.data) for each in (LINEAR, TREES))
    # All four folds of the first, two of the second, and a last training of each.
    minutes = (5 * linear + 3.5 * trees) / 60
    told = _told(train_auto(small_job(tmp_path, "binary", model.model_copy(update={"cpu_minutes": minutes})), train))
    assert [each["folds"] for each in told["candidates"]] == [4, 2]
    assert sum(each["weight"] for each in told["candidates"]) == pytest.approx(1.0)


def test_one_fold_is_enough_only_of_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = AUTO.model_copy(update={"candidates": (TREES,), "cpu_minutes": 1e-6})
    (few,) = _told(train_auto(small_job(tmp_path / "few", "binary", model), train))["candidates"]
    assert (few["folds"], "deviation" in few) == (2, True)
    monkeypatch.setattr("tasks.training.fit_auto._ENOUGH", 100)
    (many,) = _told(train_auto(small_job(tmp_path / "many", "binary", model), train))["candidates"]
    assert (many["folds"], "deviation" in many) == (1, False)


def test_a_machine_that_is_slower_than_planned_makes_everything_dearer() -> None:
    shares = (1.0, 1.0, 1.0)
    planned = [Trial(TREES, estimated=10.0, measured=measured, shares=shares) for measured in (25.0, 35.0)]
    assert _slowness(planned) == 1.0
    slow = [replace(trial, measured=2 * trial.measured) for trial in planned]
    assert _slowness(slow) == pytest.approx(2.0)
    assert _expected(slow) == pytest.approx(160.0)
    # Trainings that were stopped early are compared with what their rounds should have taken.
    assert _slowness([replace(trial, shares=(0.6, 0.5, 0.4)) for trial in slow]) == pytest.approx(4.0)
    # The first seconds are mostly imports.
    assert _slowness([Trial(TREES, estimated=1.0, measured=9.0, shares=(1.0, 1.0))]) == 1.0

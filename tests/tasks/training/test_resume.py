"""Whatever moves the weights, a run that ends in the middle of a round goes on to the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tasks.augmentation.config import AugmentConfig
from tasks.progress import reading
from tasks.references import CheckpointRef
from tasks.training.train import TrainConfig, run_train
from tests.tasks.training.fixtures import ON_THE_FLY, TINY, Problem

WATCHED = {**TINY.model_dump(mode="json"), "rounds": 2, "checkpoint_steps": 4, "logs": {"csv": True, "every": 1}}
SETTINGS: list[dict[str, Any]] = [
    {"optimizer": {"name": name, "schedule": schedule}}
    for name, schedule in (
        ("adamw", "plateau"),
        ("adam", "one-cycle"),
        ("sgd", "cosine"),
        ("rmsprop", "constant"),
    )
] + [
    {"optimizer": {"name": "sgd", "nesterov": True, "accumulate": 3, "average_decay": 0.0}},
    {"optimizer": {"name": "rmsprop", "momentum": 0.5, "schedule": "plateau", "plateau_rounds": 1}},
    {"optimizer": {"learning_rate": "auto"}, "loss": {"name": "focal", "l1": 1e-4}},
    {"machine": {"accelerator": "cpu", "threads": 1, "precision": "bf16-mixed"}},
]


class Killed(Exception):
    pass


def _train(problem: Problem, config: TrainConfig, folder: Path, augment: AugmentConfig) -> CheckpointRef:
    return run_train(problem.features, problem.preprocessing, config, folder / "home", folder / "work", augment)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: str(each)[:60])
def test_a_run_goes_on_from_the_middle_of_a_round(problem: Problem, tmp_path: Path, settings: dict[str, Any]) -> None:
    config = TrainConfig.model_validate({**WATCHED, **settings})
    expected = _train(problem, config, tmp_path / "whole", ON_THE_FLY)

    def kill(label: str, values: Mapping[str, float]) -> None:
        if label == "training" and values["step"] == 9:
            raise Killed

    interrupted = tmp_path / "interrupted"
    with pytest.raises(Killed), reading(kill):
        _train(problem, config, interrupted, ON_THE_FLY)
    assert max(interrupted.glob("work/*/*.ckpt")).name == "round-000001.step-000000008.ckpt"
    assert _train(problem, config, interrupted, ON_THE_FLY).digest == expected.digest
    logs = [next(folder.glob("work/*/training.csv")).read_text() for folder in (tmp_path / "whole", interrupted)]
    assert logs[0] == logs[1]


def test_where_it_is_logged_and_how_often_it_is_saved_changes_nothing(problem: Problem, tmp_path: Path) -> None:
    plain = _train(problem, TINY, tmp_path / "plain", AugmentConfig())
    config = {**TINY.model_dump(), "checkpoint_steps": 3, "logs": {"csv": True, "tensorboard": True}}
    watched = _train(problem, TrainConfig.model_validate(config), tmp_path / "watched", AugmentConfig())
    assert watched.digest == plain.digest
    assert list(tmp_path.glob("watched/work/*/tensorboard/events*"))
    lines = next(tmp_path.glob("watched/work/*/training.csv")).read_text().splitlines()
    assert lines[0] == "step,name,value"
    assert [line.split(",")[0] for line in lines if "round/log_loss" in line] == ["5", "10", "15", "20"]

"""What is heard of trainings, and when a trial ends early."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest

from pipelines.search.config import SearchConfig
from pipelines.search.study import Trials, place_of
from pipelines.search.trials import Pruning, objective
from tasks.models.checkpoint import read_history
from tasks.progress import reading
from tasks.training.train import train
from tests.tasks.training.small_jobs import MLP, TREES, small_job

SPACE = {"rate": {"low": 0.0, "high": 1.0}}


@pytest.mark.parametrize("model", [MLP, TREES])
def test_every_round_is_told_with_its_metrics(model: Any, tmp_path: Path) -> None:
    told: list[dict[str, float]] = []

    def read(label: str, values: Mapping[str, float]) -> None:
        if label == "round":
            told.append(dict(values))

    with reading(read):
        checkpoint = train(small_job(tmp_path, "binary", model))
    assert told == read_history(checkpoint)
    assert objective(checkpoint, "log_loss") == min(each["log_loss"] for each in told)


def test_what_is_worse_than_the_others_ends_early(tmp_path: Path) -> None:
    search = SearchConfig.model_validate({"space": SPACE})
    trials = Trials(place_of(search, "s", tmp_path, "f"), search, "log_loss")

    def run(loss: float, model: str = "mlp") -> int:
        trial = trials.claim()
        assert trial
        pruning = Pruning(trial, "log_loss", model)
        for number in range(1, 3):
            pruning("training", {"train_loss": 9.0})
            pruning("round", {"round": number, "log_loss": loss})
        trials.study.tell(trial, loss)
        return trial.number

    for loss in (0.5, 0.4, 0.6, 0.5):
        run(loss)
    with pytest.raises(optuna.TrialPruned, match="after round 2"):
        run(0.9)
    assert run(0.1) == 5
    # Rounds of a blend's members are not rounds of the blend.
    assert run(0.9, "blend") == 6

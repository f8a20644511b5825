"""What the killed process runs: the training of a small problem, with everything that draws while training."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from tasks.training.train import run_train
from tests.tasks.training.fixtures import LONG, ON_THE_FLY, Problem

WEIGHTED = LONG.model_copy(update={"class_weights": "balanced"})


def train(problem: Problem, folder: Path, answer: Connection) -> None:
    home, work = folder / "home", folder / "work"
    answer.send(run_train(problem.features, problem.preprocessing, WEIGHTED, home, work, ON_THE_FLY).digest)
